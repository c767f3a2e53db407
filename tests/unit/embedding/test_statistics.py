"""Statistics of groups: authors first, then over authors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.embedding.net import EmbeddingNet, embed
from sociolect.embedding.statistics import (
    author_styles,
    geometric_median,
    group_embeddings,
    group_statistic,
    map_groups,
)

STYLE = np.array([[0.1], [0.2], [0.9], [0.9], [0.9], [0.4], [0.8]])
OWNER = ["p", "p", "q", "q", "q", None, None]


def profile(statistic: Any) -> float:
    return float(group_statistic(author_styles(STYLE, ["g"] * 7, OWNER, statistic, theta=0.4), statistic)[0, 0])


def test_authors_first_then_over_authors() -> None:
    # authors: p .15, q .9, and two unknown ones .4 and .8; an even number takes the middle of .4 and .8
    assert profile("median") == pytest.approx(0.6)
    assert profile("mean") == pytest.approx((0.15 + 0.9 + 0.4 + 0.8) / 4)
    assert profile("usage") == pytest.approx(3 / 4)  # 0, 1, 1 (>= theta), 1


def test_a_prolific_author_is_not_the_group() -> None:
    style = np.array([[0.9]] * 50 + [[0.1], [0.2]])
    authors = ["loud"] * 50 + ["b", "c"]
    assert group_statistic(author_styles(style, ["g"] * 52, authors, "median"), "median")[0, 0] == pytest.approx(0.2)


def test_an_author_of_two_groups_is_in_both_and_nan_is_an_error() -> None:
    found = author_styles(np.array([[0.0], [1.0]]), ["h", "g"], ["p", "p"], "mean")
    assert found.groups == ("g", "h") and found.counts().tolist() == [1, 1]
    assert found.values.ravel().tolist() == [1.0, 0.0]
    with pytest.raises(InputError, match="row 1 is not finite"):
        author_styles(np.array([[0.0], [np.nan]]), ["g", "g"], [None, None], "mean")


def test_geometric_median() -> None:
    assert np.allclose(geometric_median(np.array([[0.0], [1.0], [10.0]])), 1.0)
    # of a triangle with an angle above 120 degrees it is that corner: Weiszfeld's singular case
    obtuse = np.array([[0.0, 0.0], [10.0, 1.0], [-10.0, 1.0]])
    assert np.allclose(geometric_median(obtuse), [0, 0], atol=1e-4)
    square = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
    assert np.allclose(geometric_median(square), [1, 1])
    assert np.allclose(geometric_median(np.ones((5, 3))), 1)
    cloud = np.vstack([np.random.default_rng(0).normal(size=(99, 2)), [[1e6, 1e6]]])
    assert np.abs(geometric_median(cloud)).max() < 0.5


def test_group_embedding_variants() -> None:
    net = EmbeddingNet(2, 4, 2)
    net.reset(torch.Generator().manual_seed(0))
    style = np.array([[0.0, 1.0], [1.0, 1.0], [0.5, 0.0]])
    groups, authors = ["g", "g", "h"], ["p", "p", None]
    assert np.allclose(group_embeddings(net, style, groups, authors)[0], embed(net, np.array([[0.5, 1.0]]))[0])
    means = embed(net, style)
    for center in ("mean_embedding", "geometric_median"):
        found = group_embeddings(net, style, groups, authors, center=center)
        assert np.allclose(found, [means[:2].mean(axis=0), means[2]])


def test_parents() -> None:
    assert map_groups(["a", "b", "c"], {"a": "x", "c": "x"}) == ["x", "b", "x"]
