"""Accuracies by hand and what changes none."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from made_tables import GROUPS, planted
from sociolect.common.artifacts import check_table, vectors
from sociolect.common.schemas import ACCURACY
from sociolect.embedding.accuracy import accuracy_of_levels, measure_groups, near_of, parent_columns, triplet_accuracy


def test_accuracies_by_hand() -> None:
    near = np.array([[0, 1, 2], [1, 0, 2], [2, 0, 1], [0, 2, 1], [2, 1, 0.0]])
    rows = measure_groups(near, np.array([0, 0, 1, 2, 2]), GROUPS)
    value = {(r["measure"], r["group"], r["other"]): r["value"] for r in rows}
    assert value["nearest_group", None, None] == pytest.approx(3 / 5)
    assert value["macro", None, None] == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert value["pair", "art", "law"] == pytest.approx((0.5 + 1) / 2)
    assert value["pair", "art", "med"] == pytest.approx((1 + 0.5) / 2)
    assert value["pair", "law", "med"] == pytest.approx((1 + 1) / 2)
    assert value["pairwise", None, None] == pytest.approx((0.75 + 0.75 + 1) / 3)
    assert value["confusion", "med", "art"] == 0.5 and value["confusion", "art", "law"] == 0.5
    constant = measure_groups(np.zeros((5, 3)), np.array([0, 0, 1, 2, 2]), GROUPS)
    assert next(r["value"] for r in constant if r["measure"] == "pairwise") == 0.5


def test_triplet_accuracy_is_one_for_clusters_and_half_for_equal_embeddings() -> None:
    truth, own = np.repeat([0, 1], 40), np.arange(80)
    assert triplet_accuracy(truth[:, None] * 1.0, truth, own, own, "euclidean", 1)[0] == 1.0  # type: ignore[index]
    assert triplet_accuracy(np.ones((80, 2)), truth, own, own, "cosine", 1)[0] == 0.5  # type: ignore[index]
    assert triplet_accuracy(np.ones((80, 2)), truth, own * 0, own, "euclidean", 1) is None


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_a_rotation_changes_no_accuracy(distance: Any) -> None:
    rng = np.random.default_rng(0)
    frame = planted(120)
    points, centers = rng.normal(size=(120, 3)), rng.normal(size=(3, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    tables = [
        accuracy_of_levels(
            frame.with_columns(vectors(points @ m, "embedding")), {}, {"leaf": centers @ m}, {}, distance, 1
        )
        for m in (np.eye(3), turn)
    ]
    assert np.allclose(tables[0]["value"], tables[1]["value"])


def test_parents_are_measured_by_sums_of_probabilities() -> None:
    assert parent_columns(np.array([[0.4, 0.35, 0.25]]), GROUPS, ["x", "y", "x"]).tolist() == [[0.65, 0.35]]
    frame = planted(120).with_columns(vectors(np.zeros((120, 2)), "embedding"))
    truth = np.array([GROUPS.index(g) for g in frame["group"]])
    centers = {"leaf": np.zeros((3, 2)), "parent": np.zeros((2, 2))}
    table = accuracy_of_levels(
        frame, {"majority": np.eye(3)[truth]}, centers, {"art": "x", "law": "x", "med": "y"}, "euclidean", 1
    )
    check_table(table, ACCURACY, "accuracy")
    assert set(table["level"]) == {"leaf", "parent"}
    parent = table.filter(pl.col("level") == "parent", pl.col("model") == "majority", pl.col("measure") == "macro")
    assert parent["value"].to_list() == [1.0] * 6 and set(parent["chance"]) == {0.5}
    assert near_of(np.array([[0.0, 1.0]])).argmin() == 1
