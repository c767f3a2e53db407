"""SFAM, timed: pairs of the teacher, steps of its training, and passes of a student."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sociolect.common.progress import Report
from sociolect.estimate.probing import Timed, time_rounds, time_steps
from sociolect.estimate.texts import attribute_table
from sociolect.models.loading import pick_device
from sociolect.scratch.deberta import build_deberta
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.estimate import ProbeJob
from sociolect.settings.sfam import DistillationSettings, SfamSettings
from sociolect.sfam.distilling import distil
from sociolect.sfam.engine import Engine
from sociolect.sfam.forward import make_forward, score_index_pairs
from sociolect.sfam.model import AgreementModel, answer_limit, encode_attributes, encode_texts, load_agreement
from sociolect.sfam.pair_arrays import PairArrays
from sociolect.sfam.student import Student, build_student, student_scores
from sociolect.sfam.training import train_agreement
from sociolect.stylometry.style_attributes import ATTRIBUTES
from sociolect.stylometry.stylometry import sentence_of

__all__ = ["NEVER", "probe_sfam", "random_pairs"]

# an answer's pairs, of which as many are positive as the describer said attributes of it
PAIRS_PER_ANSWER = 16
LABELED = 64
LESSONS = 288
NEVER = 10**9
Probed = Iterator[tuple[str, str, Timed]]


def probe_sfam(settings: ProbeJob, folder: Path | None, texts: Sequence[str], k: int) -> Probed:
    """Name, unit and time of each probe.

    Args:
        settings: of all stages.
        folder: a snapshot of the hub; None makes SFAM from scratch, at random: the weights decide no speed.
        texts: answers.
        k: attributes.
    """
    seconds, sfam, labeling = settings.estimate.seconds, settings.sfam, settings.labeling
    base = _scratch(settings, texts) if folder is None else load_agreement(folder, sfam.max_tokens, sfam.n_outputs)
    base.model.to(pick_device())
    table = attribute_table(k)
    teacher = AgreementModel(base.model, base.tokenizer, labeling.max_tokens)
    attributes = encode_attributes(teacher, table["author_sentence"].to_list())
    forward = None if teacher.late else make_forward(teacher, labeling.precision, labeling.compiled)

    def score(n: int) -> int:
        answers = encode_texts(teacher, texts[:n])
        pairs = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
        budget = labeling.tokens_per_batch
        return len(score_index_pairs(teacher, answers, attributes, *pairs, budget, labeling.precision, forward))

    yield "teacher", "pair", time_rounds(score, min(LABELED, len(texts)), seconds)
    if labeling.scorer == "distilled":
        student = build_student(teacher, table["attribute_id"].to_list(), answer_limit(teacher, attributes), 0)
        yield from _probe_student(settings, student, teacher, texts)
    answers, attributes = encode_texts(base, texts), encode_attributes(base, table["author_sentence"].to_list())
    keys = ("n_outputs", "max_tokens", "batch_size", "precision")
    endless = SfamSettings(max_steps=NEVER, eval_steps=NEVER, **{key: getattr(sfam, key) for key in keys})
    pairs = random_pairs(len(texts), k)

    def train(report: Report) -> Any:
        return train_agreement(base, answers, attributes, pairs, endless, seed=0, progress=report)

    yield "sfam_training", "training step", time_steps(train, seconds)


def _probe_student(settings: ProbeJob, student: Student, teacher: AgreementModel, texts: Sequence[str]) -> Probed:
    """One pass per answer; and epochs of learning, the look at val that ends each included."""
    labeling, seconds = settings.labeling, settings.estimate.seconds
    engine = Engine(student.model, labeling.precision, labeling.compiled)

    def score(n: int) -> int:
        answers = encode_texts(teacher, texts[:n])
        return len(student_scores(student, answers, labeling.tokens_per_batch, labeling.precision, engine))

    yield "student", "answer", time_rounds(score, len(texts), seconds)
    lessons = texts[:LESSONS]
    n_train = len(lessons) - max(2, len(lessons) // 8)
    parts = np.where(np.arange(len(lessons)) < n_train, "train", "val")
    given = {"batch_size": settings.distillation.batch_size, "precision": settings.distillation.precision}
    endless = DistillationSettings(max_epochs=NEVER, patience=NEVER, **given)
    wanted = np.random.default_rng(0).random((len(lessons), len(student.attributes)))

    def learn(report: Report) -> Any:
        return distil(student, encode_texts(teacher, lessons), wanted, parts, endless, seed=0, progress=report)

    epochs = time_steps(learn, seconds)
    yield "student_training", "answer", Timed(epochs.n * n_train, epochs.seconds, epochs.rate / n_train)


def _scratch(settings: ProbeJob, texts: Sequence[str]) -> AgreementModel:
    """SFAM as `make_scratch_sfam` makes it, its tokenizer made of these texts."""
    shape = settings.scratch.sfam
    tokenizer = train_tokenizer(
        [*texts, *(sentence_of(a.name) for a in ATTRIBUTES)], shape.tokenizer, shape.max_positions
    )
    return build_deberta(shape, tokenizer, settings.sfam.max_tokens, settings.sfam.n_outputs, seed=0)


def random_pairs(n_answers: int, k: int, per_answer: int = PAIRS_PER_ANSWER) -> PairArrays:
    """Pairs to train on: as many positives as negatives of every answer. The last answers are val, never looked at."""
    per_answer, n_val = min(per_answer, k), max(1, n_answers // 100)
    rng = np.random.default_rng(0)
    answer = np.repeat(np.arange(n_answers), per_answer)
    attribute = np.concatenate([rng.permutation(k)[:per_answer] for _ in range(n_answers)])
    odd = np.arange(len(answer)) % 2
    part = np.where(answer < n_answers - n_val, "train", "val")
    never = np.zeros(len(answer), dtype=bool)
    return PairArrays(answer, attribute, odd.astype(np.int8), np.where(odd, "positive", "easy"), part, never)
