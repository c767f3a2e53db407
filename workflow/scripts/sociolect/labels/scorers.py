"""What labels texts: SFAM over all pairs of answer and attribute, its student in one pass per answer, or measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch

from sociolect.attributes.calibration import read_calibration
from sociolect.common.artifacts import read_table
from sociolect.common.digests import digest_of, file_digest
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.schemas import CALIBRATION
from sociolect.labels.buckets import Scored
from sociolect.models.loading import pick_device
from sociolect.settings.labels import LabelingSettings
from sociolect.sfam.engine import PLAIN, Engine
from sociolect.sfam.forward import make_forward, score_index_pairs
from sociolect.sfam.model import (
    AgreementModel,
    Encoded,
    answer_limit,
    encode_attributes,
    encode_texts,
    load_agreement,
)
from sociolect.sfam.precision import usable
from sociolect.sfam.student import Student, load_student, student_scores
from sociolect.stylometry.features import INDEX
from sociolect.stylometry.stylometry import measure_answers, measure_index

MEASURED = 256  # texts between two reports of progress
# texts -> their rows of schema TAGGED
Tag = Callable[[Sequence[str]], pl.DataFrame]


class CrossEncoderScorer:
    """SFAM over all pairs of answer and attribute."""

    def __init__(
        self, agreement: AgreementModel, attribute_sentences: Sequence[str], settings: LabelingSettings
    ) -> None:
        """Encode the K sentences once.

        Raises:
            InputError: there is no attribute, or one does not fit.
        """
        if not attribute_sentences:
            raise InputError("the catalogue has no attribute; loosen the rules under catalogue:")
        self._agreement, self._settings = agreement, settings
        self._attributes = encode_attributes(agreement, attribute_sentences)
        self._forward = None if agreement.late else make_forward(agreement, settings.precision, settings.compiled)
        self._key = digest_of(
            [
                agreement.digest,
                list(attribute_sentences),
                agreement.max_tokens,
                *_batching(settings, self._forward),
            ]
        )

    @property
    def key(self) -> str:
        """Digest of weights, attribute sentences, pair length and batching."""
        return self._key

    def score(self, texts: Sequence[str], progress: Report | None = None, tagged: pl.DataFrame | None = None) -> Scored:
        """Scores of texts [n, K], and how many answers were cut to fit beside the longest attribute.

        `progress(done, total)` counts pairs; syntax is not looked at.
        """
        answers = encode_texts(self._agreement, texts)
        scores = self._score(answers, progress)
        room = answer_limit(self._agreement, self._attributes)
        return Scored(scores, *_cut_and_empty(answers, room))

    def _score(self, answers: Encoded, progress: Report | None) -> np.ndarray:
        n, k = len(answers), len(self._attributes)
        scores = np.zeros((n, k), dtype=np.float32)
        # an answer without tokens has no style: its scores are 0
        filled = np.flatnonzero(answers.lengths > 0)
        scores[filled] = score_index_pairs(
            self._agreement,
            answers,
            self._attributes,
            np.repeat(filled, k),
            np.tile(np.arange(k), len(filled)),
            self._settings.tokens_per_batch,
            self._settings.precision,
            self._forward,
            progress,
        ).reshape(len(filled), k)
        return scores


class StudentScorer:
    """A student of SFAM: all attributes in one pass over the answer."""

    def __init__(self, student: Student, settings: LabelingSettings) -> None:
        """Make the engine once."""
        self._student, self._settings = student, settings
        # tokenising needs tokenizer and length alone
        self._texts = AgreementModel(student.model, student.tokenizer, student.max_tokens)
        self._forward = Engine(student.model, settings.precision, settings.compiled)
        self._key = digest_of(
            [
                "student",
                self._texts.digest,
                student.attributes,
                student.answer_tokens,
                *_batching(settings, self._forward),
            ]
        )

    @property
    def key(self) -> str:
        """Digest of weights, attributes, length and batching."""
        return self._key

    def score(self, texts: Sequence[str], progress: Report | None = None, tagged: pl.DataFrame | None = None) -> Scored:
        """Scores of texts [n, K], and how many answers were cut; `progress(done, total)` counts answers.

        Syntax is not looked at.
        """
        answers = encode_texts(self._texts, texts)
        settings = self._settings
        scores = student_scores(
            self._student, answers, settings.tokens_per_batch, settings.precision, self._forward, progress
        )
        return Scored(scores, *_cut_and_empty(answers, self._student.answer_tokens))


class MeasuredScorer:
    """The describer's measures themselves, each by its calibrated curve."""

    def __init__(self, path: Path, attribute_ids: Sequence[str], code: str, tag: Tag | None = None) -> None:
        """Read the calibration.

        Args:
            path: its table.
            attribute_ids: of the catalogue.
            code: digest of the sources, which say what is measured.
            tag: tags what comes without its rows of TAGGED; None measures that without syntax.

        Raises:
            InputError: it was made for another catalogue.
        """
        self._calibration = read_calibration(read_table(path, CALIBRATION), attribute_ids)
        self._key = digest_of(["measured", file_digest(path), code])
        self._tag = tag

    @property
    def key(self) -> str:
        """Digest of calibration and sources."""
        return self._key

    def score(self, texts: Sequence[str], progress: Report | None = None, tagged: pl.DataFrame | None = None) -> Scored:
        """Probabilities of texts [n, K]; nothing is cut; `progress(done, total)` counts answers.

        Raises:
            InputError: the calibration has attributes of syntax, and the texts are not tagged.
        """
        scores = np.zeros((len(texts), self._calibration.n_attributes), dtype=np.float32)
        n_empty = 0
        for start in range(0, len(texts), MEASURED):
            some = texts[start : start + MEASURED]
            rows = tagged[start : start + MEASURED] if tagged is not None else self._tag(some) if self._tag else None
            measured = measure_answers(some, rows)
            index = measure_index(rows is not None)
            scores[start : start + MEASURED] = self._calibration.style_vectors(measured, index)
            n_empty += int((measured[:, INDEX["word_mean"]] == 0.0).sum())
            if progress is not None:
                progress(min(start + MEASURED, len(texts)), len(texts))
        return Scored(scores, 0, n_empty)


def load_cross_encoder(
    path: Path, catalogue: pl.DataFrame, settings: LabelingSettings, code: str = "", tag: Tag | None = None
) -> CrossEncoderScorer:
    """SFAM itself, of a folder, put on the device."""
    device = pick_device()
    agreement = load_agreement(path, settings.max_tokens)
    agreement.model.to(device)
    return CrossEncoderScorer(agreement, catalogue["author_sentence"].to_list(), _on(device, settings))


def load_distilled(
    path: Path, catalogue: pl.DataFrame, settings: LabelingSettings, code: str = "", tag: Tag | None = None
) -> StudentScorer:
    """A student of it, of a folder, put on the device."""
    device = pick_device()
    student = load_student(path, catalogue["author_sentence"].to_list())
    student.model.to(device)
    return StudentScorer(student, _on(device, settings))


def load_measured(
    path: Path, catalogue: pl.DataFrame, settings: LabelingSettings, code: str = "", tag: Tag | None = None
) -> MeasuredScorer:
    """Calibrated measures, of a table."""
    return MeasuredScorer(path, catalogue["attribute_id"].to_list(), code, tag)


def _on(device: torch.device, settings: LabelingSettings) -> LabelingSettings:
    """The settings with the precision that the device computes in: it decides the scores, and so their key."""
    return settings.model_copy(update={"precision": usable(settings.precision, device)})


def _batching(settings: LabelingSettings, forward: object) -> list[object]:
    """What changes the last bits of a score."""
    kernel = forward.kernel if isinstance(forward, Engine) else PLAIN
    return [settings.tokens_per_batch, settings.precision, settings.compiled, *([kernel] if kernel != PLAIN else [])]


def _cut_and_empty(answers: Encoded, room: int) -> tuple[int, int]:
    return int((answers.full_lengths > room).sum()), int((answers.lengths == 0).sum())
