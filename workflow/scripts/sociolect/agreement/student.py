"""The student: SFAM's encoder with one output per attribute, so that an answer costs one pass instead of K.

As LISA (Patel et al. 2023) did with a T5 encoder: distilled from the cross-encoder's scores of a few thousand answers.
It begins as the teacher: the same encoder, and a head that is the ridge regression of the teacher's logits on what
that encoder makes of the answers alone. It is a plain DeBERTa-v2 classifier, whose labels are the sentences.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import Ridge
from torch.nn.functional import binary_cross_entropy_with_logits

from sociolect.agreement.batching import run_batches
from sociolect.agreement.engine import Engine, PairBatch
from sociolect.agreement.model import AgreementModel, Encoded, load_classifier, place_texts
from sociolect.agreement.optimising import adamw, descend, warmup_linear
from sociolect.agreement.precision import Precision, autocast
from sociolect.errors import InputError
from sociolect.seeds import seed_of
from sociolect.settings import DistillationSettings

__all__ = [
    "Distilled",
    "Student",
    "answer_arrays",
    "build_student",
    "distil",
    "load_student",
    "mean_pearson",
    "save_student",
    "student_scores",
]

SPECIAL_TOKENS = 2  # [CLS] and [SEP]
CLIP = 1e-4  # scores are moved off 0 and 1 by this before their logits are taken
RIDGE = 1.0
POOL_BATCHES = 16  # batches whose answers are sorted by length together
WARMUP_SHARE = 0.05  # of the steps
Report = Callable[[int, int, str], None]


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


@dataclass(frozen=True)
class Distilled:
    """The student with the weights that were best on val, and what happened."""

    student: Student
    history: list[dict[str, float]]


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
    progress: Callable[[int, int], None] | None = None,
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
    for rows, logits in _passes(student, answers, tokens_per_batch, forward):
        scores[rows] = torch.sigmoid(logits).cpu().numpy()
        done += len(rows)
        if progress is not None:
            progress(done, len(answers))
    return scores


def _passes(
    student: Student, answers: Encoded, budget: int, forward: Callable[[PairBatch], torch.Tensor]
) -> Iterator[tuple[np.ndarray, torch.Tensor]]:
    filled = np.flatnonzero(answers.lengths > 0)
    lengths = np.minimum(answers.lengths[filled], student.answer_tokens) + SPECIAL_TOKENS
    order = filled[np.lexsort((filled, lengths))]
    lengths = np.sort(lengths)

    def prepare(start: int, end: int) -> PairBatch:
        return PairBatch.of(*answer_arrays(student, answers, order[start:end]), student.device.type)

    for start, end, logits in run_batches(lengths, budget, prepare, forward):
        yield order[start:end], logits


def mean_pearson(wanted: np.ndarray, found: np.ndarray) -> float:
    """Mean over the attributes (columns) of Pearson's r; an attribute that does not vary counts as 0."""
    return float(pearson_columns(wanted, found).mean())


def pearson_columns(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Pearson's r of each column, float64 [K]; 0 where a column does not vary."""
    a, b = (x.astype(np.float64) - x.mean(axis=0, dtype=np.float64) for x in (wanted, found))
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), scale, out=np.zeros(a.shape[1]), where=scale > 0)


def distil(
    student: Student,
    answers: Encoded,
    teacher_scores: np.ndarray,
    parts: np.ndarray,
    settings: DistillationSettings,
    seed: int,
    tokens_per_batch: int = 16384,
    progress: Report | None = None,
) -> Distilled:
    """Teach the student its teacher's scores (binary cross-entropy against them); stop early on val.

    Args:
        student: just built; its model is trained in place.
        answers: encoded answers.
        teacher_scores: [n, K] in [0, 1].
        parts: text [n]; train is learned from, val is looked at after every epoch.
        settings: rates, epochs, patience.
        seed: of batches and dropout.
        tokens_per_batch: budget of the looks at val and of the head's regression.
        progress: called with epoch, max_epochs and a message.

    Raises:
        InputError: train or val has no answer with tokens.
    """
    rows = {name: np.flatnonzero((parts == name) & (answers.lengths > 0)) for name in ("train", "val")}
    for name, found in rows.items():
        if len(found) < 2:
            raise InputError(f"part {name} has {len(found)} answers to distil from; raise distillation.n_answers")
    targets = torch.from_numpy(teacher_scores.astype(np.float32))
    _fit_head(student, answers, teacher_scores, rows["train"], tokens_per_batch)
    rng = np.random.default_rng(seed_of(seed, "batches"))
    per_epoch = -(-len(rows["train"]) // settings.batch_size)
    total = per_epoch * settings.max_epochs
    optimizer = adamw(student.model, settings.learning_rate, settings.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: warmup_linear(s, total, WARMUP_SHARE))

    def look() -> float:
        val = _select(answers, rows["val"])
        return mean_pearson(teacher_scores[rows["val"]], student_scores(student, val, tokens_per_batch))

    best, best_state, stale = look(), copy.deepcopy(student.model.state_dict()), 0
    history = [{"epoch": 0.0, "val_pearson": best}]
    device = [student.device] if student.device.type == "cuda" else []
    with torch.random.fork_rng(devices=device):
        torch.manual_seed(seed_of(seed, "dropout"))
        for epoch in range(1, settings.max_epochs + 1):
            student.model.train()
            losses = []
            for batch in _epoch(answers.lengths, rows["train"], settings.batch_size, rng):
                losses.append(_step(student, answers, batch, targets[batch], optimizer, settings.precision))
                schedule.step()
            student.model.eval()
            value = look()
            history.append({"epoch": float(epoch), "train_loss": float(np.mean(losses)), "val_pearson": value})
            stale = 0 if value > best else stale + 1
            if value > best:
                best, best_state = value, copy.deepcopy(student.model.state_dict())
            if progress is not None:
                progress(epoch, settings.max_epochs, f"val Pearson {value:.3f}, best {best:.3f}")
            if stale >= settings.patience:
                break
    student.model.load_state_dict(best_state)
    student.model.eval()
    return Distilled(student, history)


def _select(answers: Encoded, index: np.ndarray) -> Encoded:
    parts = [answers[int(i)] for i in index]
    offsets = np.concatenate([[0], np.cumsum([len(p) for p in parts])]).astype(np.int64)
    return Encoded(np.concatenate(parts), offsets, answers.full_lengths[index])


def _epoch(lengths: np.ndarray, rows: np.ndarray, batch_size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """All rows once, in batches of similar length and random order."""
    pool = batch_size * POOL_BATCHES
    order = rng.permutation(rows)
    batches = []
    for start in range(0, len(order), pool):
        part = order[start : start + pool]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches += [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def _step(
    student: Student,
    answers: Encoded,
    batch: np.ndarray,
    target: torch.Tensor,
    optimizer: torch.optim.Optimizer,
    precision: Precision,
) -> float:
    ids, types, lengths = (torch.from_numpy(x).to(student.device) for x in answer_arrays(student, answers, batch))
    mask = (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]).long()
    with autocast(student.device, precision):
        logits = student.model(input_ids=ids, token_type_ids=types, attention_mask=mask).logits
    loss = binary_cross_entropy_with_logits(logits.float(), target.to(student.device))
    if not torch.isfinite(loss):
        raise InputError("the loss of the student is not finite; lower distillation.learning_rate")
    return descend(loss, student.model, optimizer)


@torch.no_grad()
def _fit_head(student: Student, answers: Encoded, scores: np.ndarray, rows: np.ndarray, budget: int) -> None:
    """Begin with the ridge regression of the teacher's logits on the pooled states."""
    features = np.zeros((len(rows), student.model.config.pooler_hidden_size), dtype=np.float64)
    engine = Engine(student.model, "fp32")
    head, student.model.classifier = student.model.classifier, torch.nn.Identity()
    try:
        for index, pooled in _passes(student, _select(answers, rows), budget, engine):
            features[index] = pooled.double().cpu().numpy()
    finally:
        student.model.classifier = head
    clipped = np.clip(scores[rows].astype(np.float64), CLIP, 1 - CLIP)
    ridge = Ridge(alpha=RIDGE).fit(features, np.log(clipped / (1 - clipped)))
    head.weight.copy_(torch.from_numpy(ridge.coef_).float())
    head.bias.copy_(torch.from_numpy(ridge.intercept_).float())
