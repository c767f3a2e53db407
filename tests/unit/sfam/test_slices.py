"""Metrics of pairs and the threshold, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sociolect.sfam.slices import auroc, calibration_error, f1
from sociolect.sfam.threshold import best_threshold


def test_metrics_by_hand() -> None:
    labels = np.array([1, 0, 1, 0])
    scores = np.array([0.9, 0.8, 0.7, 0.1], dtype=np.float32)
    assert auroc(labels, scores) == pytest.approx(3 / 4)
    assert auroc(np.ones(3), scores[:3]) is None
    # from .7 on: two of two found, one false: F1 = 4 / 5; from .9 on: 2 / 3
    assert best_threshold(labels, scores) == pytest.approx(0.7)
    assert f1(labels, scores, 0.7) == pytest.approx(0.8)
    assert f1(labels, scores, 0.95) == 0.0
    # a threshold cannot split equal scores
    assert best_threshold(np.array([1, 0, 0]), np.array([0.5, 0.5, 0.5])) == 0.5
    # two bins: |.25 * 2 - 1| and |.75 * 2 - 1| over 4 pairs
    values = np.array([0.25, 0.25, 0.75, 0.75])
    assert calibration_error(np.array([1, 0, 1, 0]), values, bins=2) == pytest.approx((0.5 + 0.5) / 4)
