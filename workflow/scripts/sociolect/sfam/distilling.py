"""Distillation: the student learns the scores of its teacher, and stops when val gets no better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import Ridge
from torch.nn.functional import binary_cross_entropy_with_logits

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.seeds import seed_of
from sociolect.settings.sfam import DistillationSettings
from sociolect.sfam.engine import Engine
from sociolect.sfam.model import Encoded
from sociolect.sfam.optimizing import Best, adamw, descend, drawing, scheduled
from sociolect.sfam.precision import Precision, autocast
from sociolect.sfam.student import Student, answer_arrays, student_passes, student_scores

__all__ = ["Distilled", "distil", "mean_pearson", "pearson_columns"]


CLIP = 1e-4  # scores are moved off 0 and 1 by this before their logits are taken
RIDGE = 1.0
POOL_BATCHES = 16  # batches whose answers are sorted by length together
WARMUP_SHARE = 0.05  # of the steps


@dataclass(frozen=True)
class Distilled:
    """The student with the weights that were best on val, and what happened."""

    student: Student
    history: list[dict[str, float]]


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
    optimizer = adamw(student.model, settings.learning_rate, settings.weight_decay)
    schedule = scheduled(optimizer, per_epoch * settings.max_epochs, WARMUP_SHARE)

    def look() -> float:
        val = _select(answers, rows["val"])
        return mean_pearson(teacher_scores[rows["val"]], student_scores(student, val, tokens_per_batch))

    best = Best(student.model, look())
    history = [{"epoch": 0.0, "val_pearson": best.value}]
    with drawing(student.device, seed_of(seed, "dropout")):
        for epoch in range(1, settings.max_epochs + 1):
            student.model.train()
            losses = []
            for batch in _epoch(answers.lengths, rows["train"], settings.batch_size, rng):
                losses.append(_step(student, answers, batch, targets[batch], optimizer, settings.precision))
                schedule.step()
            student.model.eval()
            value = look()
            history.append({"epoch": float(epoch), "train_loss": float(np.mean(losses)), "val_pearson": value})
            best.look(value)
            if progress is not None:
                progress(epoch, settings.max_epochs, f"val Pearson {value:.3f}, best {best.value:.3f}")
            if best.stale >= settings.patience:
                break
    best.restore()
    return Distilled(student, history)


def mean_pearson(wanted: np.ndarray, found: np.ndarray) -> float:
    """Mean over the attributes (columns) of Pearson's r; an attribute that does not vary counts as 0."""
    return float(pearson_columns(wanted, found).mean())


def pearson_columns(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Pearson's r of each column, float64 [K]; 0 where a column does not vary."""
    a, b = (x.astype(np.float64) - x.mean(axis=0, dtype=np.float64) for x in (wanted, found))
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), scale, out=np.zeros(a.shape[1]), where=scale > 0)


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
        for index, pooled in student_passes(student, _select(answers, rows), budget, engine):
            features[index] = pooled.double().cpu().numpy()
    finally:
        student.model.classifier = head
    clipped = np.clip(scores[rows].astype(np.float64), CLIP, 1 - CLIP)
    ridge = Ridge(alpha=RIDGE).fit(features, np.log(clipped / (1 - clipped)))
    head.weight.copy_(torch.from_numpy(ridge.coef_).float())
    head.bias.copy_(torch.from_numpy(ridge.intercept_).float())
