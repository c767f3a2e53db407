"""How good scores of pairs are, slice by slice: F1, AUROC, calibration, and the false positives on random pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from sociolect.sfam.pair_arrays import PairArrays
from sociolect.sfam.threshold import best_threshold


def auroc(labels: np.ndarray, scores: np.ndarray) -> float | None:
    """Area under the ROC curve; None where one class is missing."""
    if len(np.unique(labels)) < 2:
        return None
    return float(roc_auc_score(labels, scores))


def f1(labels: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """F1 of `score >= threshold`; 0 where nothing is true and nothing is said."""
    said = scores >= threshold
    hits = float(np.sum(said & (labels == 1)))
    total = float(said.sum() + (labels == 1).sum())
    return 2 * hits / total if total else 0.0


def calibration_error(labels: np.ndarray, scores: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017)."""
    index = np.minimum((scores.astype(np.float64) * bins).astype(int), bins - 1)
    count = np.bincount(index, minlength=bins)
    gap = np.abs(np.bincount(index, scores, bins) - np.bincount(index, labels, bins))
    return float(gap[count > 0].sum() / len(labels))


def slice_metrics(labels: np.ndarray, scores: np.ndarray, threshold: float) -> dict[str, Any]:
    """n, n_positive, f1, auroc, ece and accuracy of one slice; AUROC is None without both classes."""
    if len(labels) == 0:
        return {"n": 0, "n_positive": 0, "f1": None, "auroc": None, "ece": None, "accuracy": None}
    return {
        "n": len(labels),
        "n_positive": int((labels == 1).sum()),
        "f1": f1(labels, scores, threshold),
        "auroc": auroc(labels, scores),
        "ece": calibration_error(labels, scores),
        "accuracy": float(np.mean((scores >= threshold) == (labels == 1))),
    }


def macro_auroc(labels: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> dict[int, float]:
    """AUROC within each group (attribute) that has both classes, by group index."""
    found: dict[int, float] = {}
    for group in np.unique(groups):
        value = auroc(labels[groups == group], scores[groups == group])
        if value is not None:
            found[int(group)] = value
    return found


def judge_slices(pairs: PairArrays, scores: np.ndarray) -> tuple[float, dict[str, Any]]:
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
