"""Bootstrap over questions, McNemar, Holm: known values and coverage."""

from __future__ import annotations

import numpy as np
import pytest

from sociolect.common.errors import InputError
from sociolect.evaluation.bootstrap import ClusterBootstrap, NestedBootstrap, holm, mcnemar


def test_coverage_of_a_known_rate() -> None:
    rng = np.random.default_rng(5)
    questions = [f"q{i}" for i in range(80)]
    covered = 0
    for trial in range(300):
        low, high = ClusterBootstrap(questions, 400, trial).interval(questions, rng.random(80) < 0.4) or (0, 0)
        covered += low <= 0.4 <= high
    assert 0.90 <= covered / 300 <= 0.98


def test_width_is_that_of_the_questions_not_of_the_samples() -> None:
    values = np.arange(100) % 2
    questions = [f"q{i}" for i in range(100)]
    single = ClusterBootstrap(questions, 2000, 1).interval(questions, values)
    # nine copies of every answer tell nothing more about the questions
    copied = ClusterBootstrap(questions, 2000, 1).interval(questions * 9, np.tile(values, 9))
    assert single == pytest.approx(copied)
    low, high = single or (0, 0)
    assert high - low == pytest.approx(2 * 1.96 * 0.05, rel=0.15)  # standard error sqrt(.25 / 100)


def test_resamples_are_paired_and_do_not_depend_on_order() -> None:
    questions = [f"q{i}" for i in range(30)]
    values = np.random.default_rng(0).random(30)
    bootstrap = ClusterBootstrap(questions, 500, 3)
    again = ClusterBootstrap(questions[::-1] * 2, 500, 3)
    shift = bootstrap.resampled_means(questions, values + 0.25) - bootstrap.resampled_means(questions, values)
    np.testing.assert_allclose(shift, 0.25)
    assert bootstrap.interval(questions, values) == again.interval(questions, values)
    assert bootstrap.interval(questions, values) != ClusterBootstrap(questions, 500, 4).interval(questions, values)


def test_missing_values_are_left_out() -> None:
    bootstrap = ClusterBootstrap(["q1", "q2"], 200, 1)
    assert bootstrap.interval(["q1", "q2"], np.array([0.5, np.nan])) == (0.5, 0.5)
    assert bootstrap.interval(["q1", "q2"], np.array([np.nan, np.nan])) is None
    with pytest.raises(InputError, match="at least one question"):
        ClusterBootstrap([], 100, 1)


def test_mcnemar_by_hand() -> None:
    first = np.array([True] * 10 + [False] * 2 + [True] * 5)
    second = np.array([False] * 10 + [True] * 2 + [True] * 5)
    assert mcnemar(first, second) == pytest.approx(2 * (1 + 12 + 66) / 4096)  # 10 against 2 of 12 coins
    assert mcnemar(second, first) == mcnemar(first, second)
    assert mcnemar(first, first) == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, None, 0.04, 0.03, 0.005]) == pytest.approx([0.03, None, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([None]) == [None]


def test_what_differs_from_run_to_run_widens_the_nested_interval() -> None:
    """Two runs of 50 questions, each all 0 or all 1: their mean is as unsure as two runs are."""
    questions = [f"{run}/{i}" for run in "ab" for i in range(50)]
    values, runs = np.repeat([0.0, 1.0], 50), list("a" * 50 + "b" * 50)
    nested = NestedBootstrap(questions, runs, 500, 1)
    assert nested.interval(questions, values) == (0.0, 1.0)
    low, high = ClusterBootstrap(questions, 500, 1).interval(questions, values) or (0.0, 1.0)
    assert 0.35 < low < high < 0.65
    # every resample has as many questions as there are, of the runs that it drew
    assert (nested.counts.sum(axis=1) == 100).all()
    assert set(nested.counts[:, :50].sum(axis=1)) == {0.0, 50.0, 100.0}


def test_a_single_run_has_the_interval_of_its_questions() -> None:
    questions, values = [f"q{i}" for i in range(200)], np.arange(200) / 200
    found = NestedBootstrap(questions, ["a"] * 200, 2000, 1).interval(questions, values)
    assert found == pytest.approx(ClusterBootstrap(questions, 2000, 2).interval(questions, values), abs=0.01)
