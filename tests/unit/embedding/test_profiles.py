"""Group profiles: distinctive attributes, bootstrap, distances."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

from sociolect.common.artifacts import check_table, matrix, vectors
from sociolect.common.errors import InputError
from sociolect.common.schemas import GROUP_DISTANCES, GROUPS
from sociolect.embedding.net import EmbeddingNet, embed
from sociolect.embedding.profiles import distinctive_attributes, group_distances, profile_table, selection_frequency
from sociolect.embedding.statistics import AuthorStyles
from sociolect.settings.embedding import ProfileSettings

IDS = ["a0", "a1", "a2", "a3"]


def test_distinctive_order_ties_and_shortage() -> None:
    q = np.array(
        [
            [0.9, 0.6, 0.5, 0.7],
            [0.5, 0.6, 0.1, 0.3],
            [0.1, 0.1, 0.0, 0.2],
        ]
    )
    found = distinctive_attributes(q, IDS, k=8, min_gap=0.0)
    # gaps .4 thrice: larger q first, and a1, tied at the top, is nobody's
    assert [a for a, _ in found[0]] == [0, 3, 2]
    assert [gap for _, gap in found[0]] == pytest.approx([0.4, 0.4, 0.4])
    assert found[1] == [] and found[2] == []
    assert [a for a, _ in distinctive_attributes(q, IDS, k=2, min_gap=0.0)[0]] == [0, 3]
    assert distinctive_attributes(q, IDS, k=2, min_gap=0.4)[0] == []  # a gap must exceed tau; .9 - .5 does not
    same = np.array([[0.8, 0.8], [0.2, 0.2]])
    assert [a for a, _ in distinctive_attributes(same, ["z", "b"], 2, 0.0)[0]] == [1, 0]


def test_bootstrap_is_sure_of_what_all_authors_do_and_unsure_of_few() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, size=(80, 3)).astype(float)
    values[:40, 0], values[40:, 0] = 1.0, 0.0
    styles = AuthorStyles(values, np.repeat([0, 1], 40), ("g", "h"))
    for statistic in ("usage", "median"):
        found = selection_frequency(styles, statistic, IDS[:3], 3, 0.05, 100, seed=1)
        assert found[0, 0] == 1.0 and found[1, 0] == 0.0
        assert (found[:, 1:].sum(axis=0) <= 1.0).all()
    assert 0 < found[:, 1:].max() < 1
    again = selection_frequency(styles, "median", IDS[:3], 3, 0.05, 100, seed=1)
    assert np.array_equal(found, again)


def test_distances_and_the_alike_flag() -> None:
    points = np.array([[0.0, 1], [0, -1], [10, 2], [10, -2], [0, 3], [0, -3]])
    truth = ["g", "g", "h", "h", "i", "i"]
    centers = np.array([[0.0, 0], [10, 0], [0, 0]])
    table = group_distances(points, truth, centers, ["g", "h", "i"], "euclidean", 0.65)
    check_table(table, GROUP_DISTANCES, "distances")
    near, twins = table.row(0, named=True), table.row(1, named=True)
    assert (near["distance"], near["spread"], near["pair_accuracy"], near["alike"]) == (10, 1.5, 1.0, False)
    assert (twins["other"], twins["distance"], twins["pair_accuracy"], twins["alike"]) == ("i", 0, 0.5, True)
    with pytest.raises(InputError, match="'i' has no val answers"):
        group_distances(points[:4], truth[:4], centers, ["g", "h", "i"], "euclidean", 0.65)


def test_profile_table_fits_its_schema_whatever_the_order_of_rows() -> None:
    rng = np.random.default_rng(1)
    style = np.clip(rng.uniform(0, 1, (60, 4)) + np.repeat(np.eye(3, 4), 20, axis=0), 0, 1)
    frame = pl.DataFrame(
        {
            "answer_id": [f"x{i:02d}" for i in range(60)],
            "group": np.repeat(["g", "h", "i"], 20),
            "author": [None if i % 3 else f"u{i % 9}" for i in range(60)],
        }
    ).with_columns(vectors(style, "style"))
    net = EmbeddingNet(4, 4, 2)
    net.reset(torch.Generator().manual_seed(0))
    settings = ProfileSettings(bootstrap=20)
    table = profile_table(frame, IDS, net, 0.7, settings, "style", run_seed=1)
    check_table(table, GROUPS, "groups")
    assert table.equals(profile_table(frame.reverse(), IDS, net, 0.7, settings, "style", run_seed=1))
    assert [row[0] for row in table["distinctive"]] == IDS[:3]
    assert np.allclose(matrix(table["embedding"]), embed(net, matrix(table["style"])), atol=1e-5)
    with pytest.raises(InputError, match="4 scores, the catalogue 3"):
        profile_table(frame, IDS[:3], net, 0.7, settings, "style", run_seed=1)
