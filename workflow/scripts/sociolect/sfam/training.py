"""Training of SFAM on balanced batches, stopped early on val, judged by slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.seeds import seed_of
from sociolect.settings.sfam import SfamSettings
from sociolect.sfam.forward import pair_logits, score_index_pairs
from sociolect.sfam.model import AgreementModel, Encoded, agreement_logit, answer_limit
from sociolect.sfam.optimizing import Best, adamw, descend, drawing, scheduled
from sociolect.sfam.pair_arrays import PairArrays
from sociolect.sfam.precision import Precision, autocast
from sociolect.sfam.slices import auroc, judge_slices

EVAL_PAIRS = 6000  # what a look at val takes where every pair costs a pass
POOL_BATCHES = 32  # batches whose pairs are sorted by length together


@dataclass(frozen=True)
class Trained:
    """The model with the weights that were best on val, its threshold, metrics by slice, and what happened."""

    agreement: AgreementModel
    threshold: float
    metrics: dict[str, Any]
    history: list[dict[str, float]]


def train_agreement(
    agreement: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    pairs: PairArrays,
    settings: SfamSettings,
    seed: int,
    tokens_per_batch: int = 16384,
    progress: Report | None = None,
) -> Trained:
    """Train on part train without the held-out attributes; stop when val AUROC no longer rises.

    The same seed, machine and number of threads give the same weights.

    Args:
        agreement: base model, on its device; it is trained in place.
        answers: encoded answers, which the pairs index.
        attributes: encoded attribute sentences in catalogue order.
        pairs: all pairs, of all parts.
        settings: rates, steps, patience.
        seed: of batches and dropout.
        tokens_per_batch: budget of the looks at val.
        progress: called with step, max_steps and a message.

    Raises:
        InputError: train or val lacks positives or negatives.
    """
    train, val = (_trainable(pairs, part) for part in ("train", "val"))
    rng = np.random.default_rng(seed_of(seed, "batches"))
    looked_at = val if agreement.late else val.where(np.sort(rng.permutation(len(val))[:EVAL_PAIRS]))

    def score(chosen: PairArrays) -> np.ndarray:
        index = chosen.answer, chosen.attribute
        return score_index_pairs(agreement, answers, attributes, *index, tokens_per_batch, settings.precision)

    lengths = np.minimum(answers.lengths[train.answer], answer_limit(agreement, attributes))
    batches = (answer_batches if agreement.late else balanced_batches)(train, lengths, settings.batch_size, rng)
    optimizer = adamw(agreement.model, settings.learning_rate, settings.weight_decay)
    schedule = scheduled(optimizer, settings.max_steps, settings.warmup_share)
    history: list[dict[str, float]] = []
    best, losses, value = Best(agreement.model, -1.0), list[float](), float("nan")
    with drawing(agreement.device, seed_of(seed, "dropout")):
        for step in range(1, settings.max_steps + 1):
            agreement.model.train()
            batch = train.where(next(batches))
            losses.append(_step(agreement, answers, attributes, batch, optimizer, settings.precision))
            schedule.step()
            if step % settings.eval_steps == 0 or step == settings.max_steps:
                value = auroc(looked_at.label, score(looked_at)) or 0.0
                history.append({"step": step, "train_loss": float(np.mean(losses)), "val_auroc": value})
                losses = []
                best.look(value)
            if progress is not None:
                progress(step, settings.max_steps, f"val AUROC {value:.3f}")
            if best.stale >= settings.patience:
                break
    best.restore()
    threshold, metrics = judge_slices(pairs, score(pairs))
    metrics |= {"steps": history[-1]["step"] if history else 0, "best_val_auroc": best.value}
    return Trained(agreement, threshold, metrics, history)


def _trainable(pairs: PairArrays, part: str) -> PairArrays:
    """Pairs of a part with attributes that are trained on."""
    found = pairs.where((pairs.part == part) & ~pairs.held_out & (pairs.kind != "random"))
    if len(np.unique(found.label)) < 2:
        raise InputError(f"part {part} needs positive and negative pairs; describe more {part} answers")
    return found


def balanced_batches(
    pairs: PairArrays, lengths: np.ndarray, batch_size: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Endless batches of row indices, half positive, half negative, of similar length.

    Each class is shuffled and gone through on its own; the smaller one simply starts again sooner.
    """
    half = max(1, batch_size // 2)
    streams = [_endless(np.flatnonzero(pairs.label == value), rng) for value in (1, 0)]
    while True:
        pool = []
        for stream in streams:
            rows = np.array([next(stream) for _ in range(half * POOL_BATCHES)])
            pool.append(rows[np.argsort(lengths[rows], kind="stable")].reshape(POOL_BATCHES, half))
        for batch in rng.permutation(POOL_BATCHES):
            yield np.concatenate([pool[0][batch], pool[1][batch]])


def answer_batches(
    pairs: PairArrays, lengths: np.ndarray, batch_size: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """The same with whole answers: all pairs of some answers of similar length, about `batch_size` of them.

    A surplus of one class (an answer may have more of one) is dropped at random, anew each time.
    """
    order = np.argsort(pairs.answer, kind="stable")
    ids, starts = np.unique(pairs.answer[order], return_index=True)
    rows_of = np.split(order, starts[1:])
    per_batch = max(1, round(batch_size * len(ids) / len(pairs)))
    length = np.array([lengths[rows[0]] for rows in rows_of])
    stream = _endless(np.arange(len(ids)), rng)
    while True:
        pool = np.array([next(stream) for _ in range(per_batch * POOL_BATCHES)])
        pool = pool[np.argsort(length[pool], kind="stable")].reshape(POOL_BATCHES, per_batch)
        for batch in rng.permutation(POOL_BATCHES):
            rows = np.concatenate([rows_of[i] for i in pool[batch]])
            classes = [rng.permutation(rows[pairs.label[rows] == value]) for value in (1, 0)]
            n = min(len(c) for c in classes)
            if n:
                yield np.concatenate([c[:n] for c in classes])


def _endless(rows: np.ndarray, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(rows)


def _step(
    agreement: AgreementModel,
    answers: Encoded,
    attributes: Encoded,
    batch: PairArrays,
    optimizer: torch.optim.Optimizer,
    precision: Precision,
) -> float:
    target = torch.from_numpy(batch.label.astype(np.int64)).to(agreement.device)
    with autocast(agreement.device, precision):
        logits = pair_logits(agreement, answers, attributes, batch.answer, batch.attribute)
    if batch.target is not None:
        # of two outputs softmax is the sigmoid of their difference
        wanted = torch.from_numpy(batch.target.astype(np.float32)).to(agreement.device)
        loss = binary_cross_entropy_with_logits(agreement_logit(logits).float(), wanted)
    elif agreement.n_outputs == 2:
        loss = cross_entropy(logits, target)
    else:
        loss = binary_cross_entropy_with_logits(agreement_logit(logits), target.float())
    if not torch.isfinite(loss):
        raise InputError("the loss of SFAM is not finite; lower sfam.learning_rate, or set sfam.precision to fp32")
    return descend(loss, agreement.model, optimizer)
