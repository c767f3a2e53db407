"""Training of SFAM on balanced batches, stopped early on val, judged by slice."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from sociolect.agreement.model import AgreementModel, Encoded, agreement_logit, answer_limit
from sociolect.agreement.optimising import adamw, descend, warmup_linear
from sociolect.agreement.precision import Precision, autocast
from sociolect.agreement.scoring import (
    auroc,
    best_threshold,
    macro_auroc,
    pair_logits,
    score_index_pairs,
    slice_metrics,
)
from sociolect.errors import InputError
from sociolect.seeds import seed_of
from sociolect.settings import SfamSettings

EVAL_PAIRS = 6000  # what a look at val takes where every pair costs a pass
POOL_BATCHES = 32  # batches whose pairs are sorted by length together
Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class PairArrays:
    """Pairs by index: answer, attribute, label (int8), slice, part (text) and held_out (bool), each [n]."""

    answer: np.ndarray
    attribute: np.ndarray
    label: np.ndarray
    kind: np.ndarray
    part: np.ndarray
    held_out: np.ndarray

    def where(self, mask: np.ndarray) -> PairArrays:
        """The pairs of a mask or an index."""
        return PairArrays(
            self.answer[mask],
            self.attribute[mask],
            self.label[mask],
            self.kind[mask],
            self.part[mask],
            self.held_out[mask],
        )

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class Trained:
    """The model with the weights that were best on val, its threshold, metrics by slice, and what happened."""

    agreement: AgreementModel
    threshold: float
    metrics: dict[str, Any]
    history: list[dict[str, float]]


def index_pairs(pairs: pl.DataFrame, answer_ids: list[str], attribute_ids: list[str]) -> PairArrays:
    """Replace ids by positions in the two lists.

    Raises:
        InputError: a pair names an answer or an attribute that is not in the lists.
    """
    columns = []
    for name, ids in (("answer_id", answer_ids), ("attribute_id", attribute_ids)):
        known = pl.DataFrame({name: ids, "index": np.arange(len(ids))}, schema_overrides={name: pl.String})
        joined = pairs.select(name).join(known, on=name, how="left", maintain_order="left")
        if joined["index"].null_count():
            unknown = joined.filter(pl.col("index").is_null())[name][0]
            raise InputError(
                f"pairs: {name} {unknown!r} is unknown; rebuild the pairs from these answers and catalogue"
            )
        columns.append(joined["index"].to_numpy())
    rest = [pairs[n].to_numpy() for n in ("label", "slice", "part", "held_out")]
    return PairArrays(*columns, *rest)


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
    trainable = (pairs.part == "train") & ~pairs.held_out & (pairs.kind != "random")
    train = pairs.where(trainable)
    val = pairs.where((pairs.part == "val") & ~pairs.held_out & (pairs.kind != "random"))
    for name, part in (("train", train), ("val", val)):
        if len(np.unique(part.label)) < 2:
            raise InputError(f"part {name} needs positive and negative pairs; describe more {name} answers")
    rng = np.random.default_rng(seed_of(seed, "batches"))
    looked_at = val if agreement.late else val.where(np.sort(rng.permutation(len(val))[:EVAL_PAIRS]))

    def score(subset: PairArrays) -> np.ndarray:
        return score_index_pairs(
            agreement, answers, attributes, subset.answer, subset.attribute, tokens_per_batch, settings.precision
        )

    lengths = np.minimum(answers.lengths[train.answer], answer_limit(agreement, attributes))
    if agreement.late:
        batches = answer_batches(train, lengths, settings.batch_size, rng)
    else:
        batches = balanced_batches(train.label, lengths, settings.batch_size, rng)
    optimizer = adamw(agreement.model, settings.learning_rate, settings.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: warmup_linear(s, settings.max_steps, settings.warmup_share)
    )
    history: list[dict[str, float]] = []
    best, best_state, stale = -1.0, copy.deepcopy(agreement.model.state_dict()), 0
    losses: list[float] = []
    device = [agreement.device] if agreement.device.type == "cuda" else []
    with torch.random.fork_rng(devices=device):
        torch.manual_seed(seed_of(seed, "dropout"))
        for step in range(1, settings.max_steps + 1):
            agreement.model.train()
            rows = next(batches)
            losses.append(_step(agreement, answers, attributes, train.where(rows), optimizer, settings.precision))
            schedule.step()
            if step % settings.eval_steps == 0 or step == settings.max_steps:
                value = auroc(looked_at.label, score(looked_at)) or 0.0
                history.append({"step": step, "train_loss": float(np.mean(losses)), "val_auroc": value})
                losses = []
                stale = 0 if value > best else stale + 1
                if value > best:
                    best, best_state = value, copy.deepcopy(agreement.model.state_dict())
            if progress is not None:
                shown = history[-1]["val_auroc"] if history else float("nan")
                progress(step, settings.max_steps, f"val AUROC {shown:.3f}")
            if stale >= settings.patience:
                break
    agreement.model.load_state_dict(best_state)
    agreement.model.eval()
    threshold, metrics = judge(pairs, score(pairs))
    metrics["steps"] = history[-1]["step"] if history else 0
    metrics["best_val_auroc"] = best
    return Trained(agreement, threshold, metrics, history)


def judge(pairs: PairArrays, scores: np.ndarray) -> tuple[float, dict[str, Any]]:
    """Threshold of largest F1 on val, and the metrics of every slice at it.

    Slices: val; held_out_texts (test), held_out_attributes (train texts, unseen attributes), held_out_both
    (test texts, unseen attributes), each over all, easy and hard negatives; AUROC within each attribute on test;
    and the false positive rate on random pairs of test.
    """
    plain = pairs.kind != "random"
    val = plain & (pairs.part == "val") & ~pairs.held_out
    threshold = best_threshold(pairs.label[val], scores[val])
    metrics: dict[str, Any] = {
        "threshold": threshold,
        "n_train_pairs": int((plain & (pairs.part == "train") & ~pairs.held_out).sum()),
        "val": slice_metrics(pairs.label[val], scores[val], threshold),
    }
    test = pairs.part == "test"
    for name, mask in (
        ("held_out_texts", test & ~pairs.held_out),
        ("held_out_attributes", (pairs.part == "train") & pairs.held_out),
        ("held_out_both", test & pairs.held_out),
    ):
        metrics[name] = {}
        for kind in ("all", "easy", "hard"):
            rows = mask & (plain if kind == "all" else (pairs.kind == "positive") | (pairs.kind == kind))
            metrics[name][kind] = slice_metrics(pairs.label[rows], scores[rows], threshold)
    seen = plain & test & ~pairs.held_out
    by_attribute = macro_auroc(pairs.label[seen], scores[seen], pairs.attribute[seen])
    values = np.array(list(by_attribute.values()))
    metrics["attribute_auroc"] = {
        "n": len(values),
        "mean": float(values.mean()) if len(values) else None,
        "lowest": float(values.min()) if len(values) else None,
    }
    random = (pairs.kind == "random") & test
    wrong = float(np.mean(scores[random] >= threshold)) if random.any() else None
    metrics["random"] = {"n": int(random.sum()), "false_positive_rate": wrong}
    return threshold, metrics


def balanced_batches(
    labels: np.ndarray, lengths: np.ndarray, batch_size: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Endless batches of row indices, half positive, half negative, of similar length.

    Each class is shuffled and gone through on its own; the smaller one simply starts again sooner.
    """
    half = max(1, batch_size // 2)
    streams = [_endless(np.flatnonzero(labels == value), rng) for value in (1, 0)]
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
    if agreement.n_outputs == 2:
        loss = cross_entropy(logits, target)
    else:
        loss = binary_cross_entropy_with_logits(agreement_logit(logits), target.float())
    if not torch.isfinite(loss):
        raise InputError("the loss of SFAM is not finite; lower sfam.learning_rate, or set sfam.precision to fp32")
    return descend(loss, agreement.model, optimizer)
