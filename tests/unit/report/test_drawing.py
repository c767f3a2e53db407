"""Figures of rows that have no value."""

from __future__ import annotations

import numpy as np
from swept import sweep

from sociolect.evaluation.figures import heat_map, rate_plot, sweep_plot


def test_figures_take_rows_without_a_value() -> None:
    assert rate_plot(["x", "y"], [None, 0.5], [None, 0.4], [None, 0.6], [None, None], None).startswith("<svg")
    assert heat_map(np.array([[np.nan, 0.0]]), ["a"], ["a", "b"], "", "").startswith("<svg")
    assert sweep_plot(sweep()).count("<svg") == 1
