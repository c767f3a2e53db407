"""The forecast by hand, on groups that differ and on labels that mean nothing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import FORECAST, SWEEP
from sociolect.steering.forecast import forecast_table, rank_correlation
from sociolect.steering.material import Material
from sociolect.steering.vectors import built_vectors


def material(answers: np.ndarray) -> Material:
    """Of groups a, b, ...: their answers' folds [G, folds, L, d], and one weighted attribute each."""
    groups, _, layers, width = answers.shape
    names = tuple("abcd"[:groups])
    unit = np.zeros((groups, layers, width))
    for g in range(groups):
        unit[g, :, g] = 1
    weights = {"all": dict(zip(names, np.eye(groups), strict=True)), "distinctive": {}}
    return Material(names, unit, weights, {"answers": answers})


def forecast(made: Material, *methods: str) -> pl.DataFrame:
    frame = forecast_table(made, built_vectors(made, methods), methods)
    return check_table(frame, FORECAST, "test")


def test_separation_by_hand() -> None:
    # along the first axis; every half of the folds has the mean, and the vector +1 for a and -1 for b
    answers = np.zeros((2, 4, 1, 2))
    answers[0, :, 0, 0] = [4, 4, 2, 2]
    answers[1, :, 0, 0] = [0, 0, -2, -2]
    frame = forecast(material(answers), "mean_difference")
    # folds 1 and 3 are 4 and 2, 0 and -2: means 3 and -1, one standard deviation each
    assert np.allclose(frame["separation"], [4, 4])
    assert np.allclose(frame["reliability"], [1, 1]) and np.allclose(frame["cosine"], [-1, -1])


def noisy(seed: int, folds: int = 8) -> Material:
    """At block 0 groups differ by ten standard deviations, at block 1 by nothing."""
    rng = np.random.default_rng(seed)
    answers = rng.standard_normal((4, folds, 2, 16))
    for g in range(4):
        answers[g, :, 0, g] += 10
    return material(answers)


def test_groups_that_differ_are_parted_and_reliable_where_they_differ() -> None:
    frame = forecast(noisy(0), "mean_difference")
    there = frame.filter(pl.col("layer") == 0)
    assert there["separation"].to_numpy().min() > 5 and there["reliability"].to_numpy().min() > 0.9
    means = [
        forecast(noisy(seed), "mean_difference").filter(pl.col("layer") == 1).select("separation", "reliability").mean()
        for seed in range(20)
    ]
    found = pl.concat(means)
    # over material drawn anew; in-sample, 16 dimensions of noise would be parted by several standard deviations
    assert abs(float(found["separation"].to_numpy().mean())) < 0.3
    assert abs(float(found["reliability"].to_numpy().mean())) < 0.1


def test_labels_that_mean_nothing_are_not_parted() -> None:
    made = noisy(0)
    separations = []
    for seed in range(60):
        dealt = made.shuffled(np.random.default_rng(seed))
        separations.append(forecast(dealt, "mean_difference").filter(pl.col("layer") == 0)["separation"].to_numpy())
    true = forecast(made, "mean_difference").filter(pl.col("layer") == 0)["separation"].to_numpy()
    # folds are dealt in turn: what one half has of a group the other lacks, so that halves even lean apart
    assert np.mean(separations) < 0.05 * true.min()


def test_weighted_attributes_need_no_halves_and_few_folds_make_no_forecast() -> None:
    both = forecast(noisy(0), "all", "mean_difference", "distinctive")
    weighted = both.filter(pl.col("method") == "all")
    assert weighted["reliability"].null_count() == 8 and weighted["separation"].null_count() == 0
    # attributes along the axes that groups differ in
    assert weighted.filter(pl.col("layer") == 0)["separation"].to_numpy().min() > 5
    assert np.allclose(weighted["cosine"], 0)
    assert "distinctive" not in set(both["method"]), "no vector, no forecast"
    few = forecast(noisy(0, folds=3), "mean_difference")
    assert few["separation"].null_count() == few["reliability"].null_count() == few.height == 8
    assert few["cosine"].null_count() == 0


def places(*rows: tuple[str, int, float | None]) -> pl.DataFrame:
    values = [("x", method, layer, separation, None, 0.0) for method, layer, separation in rows]
    return FORECAST.frame(values)


def tried(*rows: tuple[str, list[int], float, float]) -> pl.DataFrame:
    fixed = {"positions": "last", "n": 4, "hit_rate": 0.0, "correct_change_rate": 0.0, "gain_own": 0.0,
             "gain_cross": 0.0, "topic_loss": 0.0, "log_perplexity": 1.0, "repetition": 0.0, "fluent": True,
             "on_topic": True, "chosen": False, "best": False}  # fmt: skip
    return SWEEP.frame(
        [{"method": m, "layers": layers, "alpha": alpha, "gain": gain, **fixed} for m, layers, alpha, gain in rows]
    )


def test_rank_correlation_by_hand() -> None:
    sweep = tried(
        ("unsteered", [], 0, 9),
        ("all", [0], 0.1, 0.1),
        ("all", [0], 0.2, 0.3),
        ("all", [1], 0.1, 0.2),
        ("all", [0, 1], 0.1, 0.9),
        ("rotated", [1], 0.1, 0.1),
    )
    # best gains 0.3, 0.2, 0.1: the same order, the opposite one, and one swap of three
    for separations, rho in (((3, 2, 1), 1.0), ((1, 2, 3), -1.0), ((2, 3, 1), 0.5)):
        a, b, c = separations
        forecast = places(("all", 0, a), ("all", 1, b), ("rotated", 1, c), ("rotated", 0, 99))
        found, n = rank_correlation(forecast, sweep)
        assert found == pytest.approx(rho) and n == 3
    # the mean over groups counts
    more = pl.concat([places(("all", 0, 3), ("all", 1, 2), ("rotated", 1, 1)), places(("all", 0, -9))])
    assert rank_correlation(more, sweep)[0] == pytest.approx(-0.5)


def test_no_correlation_of_few_places_or_of_what_does_not_vary() -> None:
    sweep = tried(("all", [0], 0.1, 0.1), ("all", [1], 0.1, 0.2), ("all", [2], 0.1, 0.3))
    three = places(("all", 0, 1), ("all", 1, 2), ("all", 2, 3))
    assert rank_correlation(three, sweep)[1] == 3
    assert rank_correlation(three[:2], sweep) == (None, 2)
    assert rank_correlation(places(("all", 0, None), ("all", 1, 2), ("all", 2, 3)), sweep) == (None, 2)
    assert rank_correlation(places(("all", 0, 1), ("all", 1, 1), ("all", 2, 1)), sweep) == (None, 3)
    assert rank_correlation(three, sweep.with_columns(gain=pl.lit(0.5))) == (None, 3)
    assert rank_correlation(three[:0], sweep) == (None, 0)
