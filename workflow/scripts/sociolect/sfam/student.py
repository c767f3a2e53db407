"""The student: SFAM's encoder with one output per attribute, so that an answer costs one pass instead of K.

As LISA (Patel et al. 2023) did with a T5 encoder: distilled (distilling.py) from the cross-encoder's scores of a few
thousand answers.
It begins as the teacher: the same encoder, and a head that is the ridge regression of the teacher's logits on what
that encoder makes of the answers alone. It is a plain DeBERTa-v2 classifier, whose labels are the sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.sfam.engine import Engine, PairBatch
from sociolect.sfam.model import AgreementModel, Encoded, load_classifier, place_texts
from sociolect.sfam.precision import Precision
from sociolect.sfam.token_budget import run_batches

__all__ = ["Student", "answer_arrays", "build_student", "load_student", "save_student", "student_scores"]

SPECIAL_TOKENS = 2  # [CLS] and [SEP]


@dataclass(frozen=True)
class Student:
    """The classifier, its tokenizer, and how many tokens of an answer it reads: as many as its teacher did."""

    model: Any
    tokenizer: Any
    answer_tokens: int

    @property
    def attributes(self) -> list[str]:
        """Sentences of the attributes in the order of the outputs."""
        return [self.model.config.id2label[i] for i in range(self.model.config.num_labels)]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def max_tokens(self) -> int:
        """Longest input, special tokens included: what tokenising answers needs to know."""
        return self.answer_tokens + SPECIAL_TOKENS


def build_student(teacher: AgreementModel, sentences: Sequence[str], answer_tokens: int, seed: int) -> Student:
    """The teacher's encoder with a new head of K outputs.

    Raises:
        InputError: the teacher is no DeBERTa-v2.
    """
    source = teacher.model
    if source.config.model_type != "deberta-v2":
        raise InputError(
            f"labeling.scorer distilled needs a deberta-v2 or -v3, not {source.config.model_type}; set cross_encoder"
        )
    config = type(source.config).from_dict(source.config.to_dict())
    config.num_labels = len(sentences)
    config.id2label = dict(enumerate(sentences))
    config.label2id = {name: i for i, name in enumerate(sentences)}
    config.problem_type = "multi_label_classification"
    config.late_interaction = False
    config.answer_tokens = answer_tokens
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % 2**63)
        model = type(source)(config)
    state = {name: value for name, value in source.state_dict().items() if not name.startswith("classifier.")}
    model.load_state_dict(state, strict=False)
    return Student(model.to(teacher.device).eval(), teacher.tokenizer, answer_tokens)


def save_student(student: Student, folder: Path) -> None:
    """Write config, weights (safetensors) and tokenizer into a folder that `load_student` takes."""
    student.model.save_pretrained(folder)
    student.tokenizer.save_pretrained(folder)


def load_student(folder: Path, sentences: Sequence[str]) -> Student:
    """Load a student; the hub is never asked.

    Raises:
        InputError: the folder is missing or incomplete, or holds no student, or one of another catalogue.
    """
    model, tokenizer = load_classifier(folder)
    answer_tokens = getattr(model.config, "answer_tokens", None)
    if answer_tokens is None:
        raise InputError(f"{folder}: no student (its config has no answer_tokens); give the folder sfam/student")
    student = Student(model.eval(), tokenizer, answer_tokens)
    if student.attributes != list(sentences):
        raise InputError(
            f"{folder}: this student was made for another catalogue ({len(student.attributes)} attributes, "
            f"the catalogue has {len(sentences)}); delete it and run again"
        )
    return student


def answer_arrays(student: Student, answers: Encoded, index: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers as `[CLS] answer [SEP]`: padded ids and types (1 on the answer), int64 [n, N], and lengths [n]."""
    kept = np.minimum(answers.lengths[index], student.answer_tokens)
    lengths = kept + SPECIAL_TOKENS
    column = np.arange(int(lengths.max()))
    ids = np.full((len(index), len(column)), student.tokenizer.pad_token_id, dtype=np.int64)
    ids[:, 0] = student.tokenizer.cls_token_id
    place_texts(ids, answers, index, np.ones_like(kept), kept, student.tokenizer.sep_token_id)
    types = ((column >= 1) & (column < lengths[:, None])).astype(np.int64)
    return ids, types, lengths


def student_scores(
    student: Student,
    answers: Encoded,
    tokens_per_batch: int,
    precision: Precision = "fp32",
    forward: Callable[[PairBatch], torch.Tensor] | None = None,
    progress: Report | None = None,
) -> np.ndarray:
    """Scores of all attributes, float32 [n, K] in [0, 1]; an answer without tokens scores 0.

    Args:
        student: the student.
        answers: encoded answers.
        tokens_per_batch: token budget; halved when memory runs out.
        precision: of the products.
        forward: an engine of the student's weights, to be used again.
        progress: called with answers done and total.
    """
    scores = np.zeros((len(answers), student.model.config.num_labels), dtype=np.float32)
    forward = forward or Engine(student.model, precision)
    done = 0
    for rows, logits in student_passes(student, answers, tokens_per_batch, forward):
        scores[rows] = torch.sigmoid(logits).cpu().numpy()
        done += len(rows)
        if progress is not None:
            progress(done, len(answers))
    return scores


def student_passes(
    student: Student, answers: Encoded, budget: int, forward: Callable[[PairBatch], torch.Tensor]
) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    """(rows, logits) of the answers that have tokens, in batches of at most `budget` padded tokens."""
    filled = np.flatnonzero(answers.lengths > 0)
    lengths = np.minimum(answers.lengths[filled], student.answer_tokens) + SPECIAL_TOKENS
    order = filled[np.lexsort((filled, lengths))]
    lengths = np.sort(lengths)

    def prepare(start: int, end: int) -> PairBatch:
        return PairBatch.of(*answer_arrays(student, answers, order[start:end]), student.device.type)

    for start, end, logits in run_batches(lengths, budget, prepare, forward):
        yield order[start:end], logits
