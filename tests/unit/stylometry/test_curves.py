"""Curves from measures to probabilities, by hand and against the describer."""

from __future__ import annotations

import numpy as np
import pytest

from sociolect.stylometry.curves import MOST_KNOTS, fit_curve, holds


@pytest.mark.parametrize(
    ("train", "threshold", "low", "expected"),
    [
        # shares up to 0, 1, 3, 5 with mid-ranks: .1, .4, .7, .9; three of five lack the attribute
        ([0, 1, 1, 3, 5], 3.0, False, {0: 1 / 12, 1: 1 / 3, 2: 5 / 12, 3: 0.625, 4: 0.75, 5: 0.875, 99: 0.875}),
        # counted from above: 5 .1, 3 .3, 1 .6, 0 .9; two of five lack it
        ([0, 1, 1, 3, 5], 1.0, True, {9: 0.125, 5: 0.125, 3: 0.375, 2: 0.4375, 1: 2 / 3, 0: 11 / 12}),
        # presence is enough: all zeros are one step, and what is rarer than on train is still above .5
        ([0, 0, 0, 2, 4], 0.0, False, {0: 0.25, 1: 0.5625, 2: 0.625, 3: 0.75, 4: 0.875}),
    ],
)
def test_curve_by_hand_with_ties(train: list[float], threshold: float, low: bool, expected: dict[float, float]) -> None:
    curve = fit_curve(np.array(train, dtype=float), threshold, low)
    found = curve.probabilities(np.array(list(expected), dtype=float))
    assert found.tolist() == pytest.approx(list(expected.values()))


@pytest.mark.parametrize("low", [False, True])
@pytest.mark.parametrize("quantile", [0.0, 0.3, 0.7, 1.0])
def test_curve_rises_with_the_measure_and_is_at_least_half_exactly_where_the_attribute_holds(
    low: bool, quantile: float
) -> None:
    rng = np.random.default_rng(4)
    train = np.where(rng.random(5000) < 0.4, 0.0, rng.gamma(2.0, 2.0, 5000))
    threshold = float(np.quantile(train, quantile, method="higher"))
    curve = fit_curve(train, threshold, low)
    assert len(curve.x) <= MOST_KNOTS + 2
    near = np.nextafter(threshold, [-np.inf, np.inf])
    values = np.sort(np.r_[train, rng.gamma(2.0, 3.0, 2000), 0.0, threshold, near[near >= 0]])
    stored = curve.probabilities(values).astype(np.float32)
    assert ((stored >= 0) & (stored <= 1)).all()
    assert ((stored >= 0.5) == holds(values, threshold, low)).all()
    steps = np.diff(curve.probabilities(np.unique(train)))
    assert (-steps if low else steps).min() > 0 or quantile in (0.0, 1.0)
    assert (-steps if low else steps).min() >= 0
