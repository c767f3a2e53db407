"""Stability of group embeddings: known answers by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import STABILITY
from sociolect.embedding.net import EmbeddingNet
from sociolect.embedding.stability import STATISTICS, draw_embeddings, draw_sizes, stability_table
from sociolect.embedding.statistics import geometric_median


def identity(width: int) -> EmbeddingNet:
    """A net that gives back what is not negative."""
    net = EmbeddingNet(width, width, width)
    with torch.no_grad():
        for layer in net.layers():
            layer.weight.copy_(torch.eye(width))
            layer.bias.zero_()
    return net


def test_sizes_end_at_what_there_is() -> None:
    assert draw_sizes(3) == [3] and draw_sizes(5) == [5]
    assert draw_sizes(40) == [5, 7, 10, 20, 30, 40]


def test_authors_who_write_alike_fix_the_embedding_at_once() -> None:
    style = np.repeat([[0.2, 0.9], [0.8, 0.1]], 30, axis=0)
    groups, authors = ["g"] * 30 + ["h"] * 30, [f"u{i}" for i in range(60)]
    table = stability_table(style, groups, authors, identity(2), "euclidean", 0.5, 20, 0.1, 1)
    check_table(table, STABILITY, "stability")
    assert set(table["statistic"]) == set(STATISTICS) and set(table["ratio"]) == {0.0} and table["within"].all()


@pytest.mark.parametrize("statistic", ["mean", "mean_embedding"])
def test_two_authors_by_hand(statistic: str) -> None:
    """Means of two draws of 0 and 1 are 0, 1/2, 1/2, 1: on average 1/4 away from 1/2, which is 9.5 from the next."""
    style = np.array([[0.0], [1.0], [10.0], [10.0]])
    table = stability_table(
        style, ["g", "g", "h", "h"], list("abcd"), identity(1), "euclidean", 0.5, 4000, 0.02, 1
    ).filter(pl.col("statistic") == statistic, pl.col("unit") == "authors")
    ratio = {(row["group"], row["whole"]): row for row in table.iter_rows(named=True)}
    assert ratio["g", True]["ratio"] == pytest.approx(0.25 / 9.5, rel=0.05) and not ratio["g", True]["within"]
    assert ratio["g", True]["ratio_high"] == pytest.approx(0.5 / 9.5)
    assert ratio["h", True]["ratio"] == 0.0
    assert ratio[None, True]["ratio"] == pytest.approx(0.125 / 9.5, rel=0.05) and ratio[None, True]["within"]


def test_answers_of_one_author_are_one_author_and_several_answers() -> None:
    style = np.array([[0.0]] * 8 + [[1.0]] * 8 + [[5.0]] * 16)
    authors = ["a"] * 8 + ["b"] * 8 + ["c", "d"] * 8
    table = stability_table(style, ["g"] * 16 + ["h"] * 16, authors, identity(1), "euclidean", 0.5, 200, 0.1, 1)
    whole = table.filter(pl.col("whole"), pl.col("group") == "g", pl.col("statistic") == "mean")
    by = {row["unit"]: row for row in whole.iter_rows(named=True)}
    assert (by["authors"]["size"], by["answers"]["size"]) == (2, 16)
    assert by["answers"]["ratio"] < by["authors"]["ratio"] / 2


def test_draws_are_medians_and_geometric_medians_of_what_was_drawn() -> None:
    rng = np.random.default_rng(0)
    own, drawn = rng.uniform(0, 1, (40, 3)), rng.integers(40, size=(5, 31))
    own[::3, 0] = 0.5
    for size in (5, 8, 30, 31):  # few and many of the authors, odd and even
        medians = draw_embeddings(own, "median", identity(3), drawn[:, :size])
        assert np.allclose(medians, np.median(own[drawn[:, :size]], axis=1), atol=1e-12)
    found = draw_embeddings(own, "geometric_median", identity(3), drawn)
    assert np.allclose(found, [geometric_median(own[row]) for row in drawn], atol=2e-3)


def test_groups_in_one_place_have_no_ratio() -> None:
    style = np.array([[0.0], [1.0], [0.0], [1.0]])
    table = stability_table(style, ["g", "g", "h", "h"], list("abcd"), identity(1), "euclidean", 0.5, 50, 0.1, 1)
    own = table.filter(pl.col("statistic") == "mean", pl.col("group") == "g")
    assert own["ratio"].null_count() == own.height and not own["within"].any()
