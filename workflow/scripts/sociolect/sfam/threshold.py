"""Theta: an answer has an attribute where its score is at or above it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from sociolect.common.errors import InputError

__all__ = ["best_threshold", "read_threshold"]


def best_threshold(labels: np.ndarray, scores: np.ndarray) -> float:
    """The score at which F1 is largest, the higher one of equals.

    Raises:
        ValueError: there is no positive pair.
    """
    positives = int((labels == 1).sum())
    if positives == 0:
        raise ValueError("no positive pair on val, so no threshold; describe more val answers")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)
    hits = np.cumsum(labels[order] == 1)
    value = 2 * hits / (np.arange(1, len(ranked) + 1) + positives)
    # a threshold takes all pairs of the same score
    value[:-1][ranked[:-1] == ranked[1:]] = -1.0
    return float(ranked[int(np.argmax(value))])


def read_threshold(path: Path) -> float:
    """Theta of a trained SFAM, from its metrics.json.

    Raises:
        InputError: no such file, or it holds no number `threshold`.
    """
    try:
        threshold = json.loads(Path(path).read_text(encoding="utf-8"))["threshold"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: has no number `threshold` ({error!r}); train SFAM again") from error
    if isinstance(threshold, bool) or not isinstance(threshold, float | int):
        raise InputError(f"{path}: `threshold` is {threshold!r}, not a number; train SFAM again")
    return float(threshold)
