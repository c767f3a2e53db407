"""Group vectors by hand, controls, and their file."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
import torch

from sociolect.common.artifacts import check_table, matrix, vectors
from sociolect.common.errors import InputError
from sociolect.common.schemas import STEERING
from sociolect.generation.conditions import resolve_method
from sociolect.settings.steering import SteeringSettings
from sociolect.steering.trials import usable_methods
from sociolect.steering.vectors import build_steering, combine
from sociolect.steering.vectors_file import scaled_vectors

torch.set_num_threads(1)
IDS = ["a0", "a1", "a2", "a3"]


def activations(values: np.ndarray) -> pl.DataFrame:
    k, layers, width = values.shape
    return pl.DataFrame(
        {
            "attribute_id": [a for a in IDS[:k] for _ in range(layers)],
            "layer": pl.Series(list(range(layers)) * k, dtype=pl.Int32),
            "vector": vectors(values.reshape(-1, width), "vector"),
        }
    )


def groups(style: Sequence[Sequence[float]], distinctive: Sequence[Sequence[str]]) -> pl.DataFrame:
    style_column = vectors(np.array(style), "style")
    return pl.DataFrame({"group": ["x", "y", "z"][: len(style)], "style": style_column}).with_columns(
        pl.Series("distinctive", distinctive, dtype=pl.List(pl.String))
    )


def unit_vector(frame: pl.DataFrame, group: str, method: str) -> np.ndarray:
    return matrix(frame.filter((pl.col("group") == group) & (pl.col("method") == method)).sort("layer")["vector"])


def test_combine_by_hand() -> None:
    unit = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert np.allclose(combine(unit, np.array([0.75, 0.25]), "g"), np.array([[3.0, 1.0]]) / math.sqrt(10))
    with pytest.raises(InputError, match="group 'g': the weighted attribute vectors cancel out at layer 0"):
        combine(np.array([[[1.0, 0.0]], [[-1.0, 0.0]]]), np.array([0.5, 0.5]), "group 'g'")


def test_vectors_do_not_depend_on_activation_lengths_or_row_order() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((4, 2, 8))
    profile = groups([[0.9, 0.1, 0.5, 0.4], [0.2, 0.8, 0.5, 0.4]], [["a0"], ["a1"]])
    settings = SteeringSettings(n_eff=2)
    frame, report = build_steering(profile, activations(values), IDS, settings, 1)
    check_table(frame, STEERING, "test")
    assert np.allclose(np.linalg.norm(matrix(frame["vector"]), axis=1), 1, atol=1e-6)
    longer = activations(values * np.array([1, 5, 9, 2])[:, None, None])
    again, _ = build_steering(profile.reverse(), longer.reverse(), IDS, settings, 1)
    assert np.allclose(matrix(frame["vector"]), matrix(again["vector"]), atol=1e-6)
    # one distinctive attribute: its own direction, whatever the temperature
    unit = values[0] / np.linalg.norm(values[0], axis=1, keepdims=True)
    assert np.allclose(unit_vector(frame, "x", "distinctive"), unit, atol=1e-6)
    found = report["groups"]["x"]
    assert found["distinctive"]["n_eff"] == 1 and found["all"]["n_eff"] == pytest.approx(2, rel=1e-3)
    assert found["all"]["heaviest"][0]["attribute_id"] == "a0"
    # x leads a0 by .35 over the mean, y leads a1 by as much: opposite centered profiles
    assert report["groups"]["y"]["all"]["heaviest"][0]["attribute_id"] == "a1"


def test_controls() -> None:
    rng = np.random.default_rng(1)
    profile = groups([[0.9, 0.1, 0.5, 0.4], [0.2, 0.8, 0.5, 0.4], [0.3, 0.3, 0.9, 0.1]], [["a0"], ["a1"], []])
    frame, report = build_steering(
        profile, activations(rng.standard_normal((4, 2, 64))), IDS, SteeringSettings(n_eff=2), 1
    )
    methods = frame.group_by("group").agg(pl.col("method").unique().sort()).sort("group")["method"].to_list()
    full = ["all", "distinctive", "other_group_all", "other_group_distinctive", "random", "shuffled_all"]
    assert methods[0] == methods[1] == [*full, "shuffled_distinctive"]
    assert methods[2] == ["all", "other_group_all", "random", "shuffled_all"], "no silent fallback for z"
    assert np.array_equal(unit_vector(frame, "x", "other_group_all"), unit_vector(frame, "y", "all"))
    assert np.array_equal(unit_vector(frame, "z", "other_group_all"), unit_vector(frame, "x", "all"))
    assert np.array_equal(unit_vector(frame, "y", "other_group_distinctive"), unit_vector(frame, "x", "distinctive"))
    assert abs((unit_vector(frame, "x", "random") * unit_vector(frame, "x", "all")).sum(axis=1)).max() < 0.5
    assert {(c["method"], c["group"], c["other"]) for c in report["cosines"]} == {
        ("all", "x", "y"), ("all", "x", "z"), ("all", "y", "z"), ("distinctive", "x", "y")
    }  # fmt: skip
    assert usable_methods(frame, ["x", "y", "z"], ("all", "distinctive")) == ["all"]
    assert usable_methods(frame, ["x", "y"], ("all", "distinctive")) == ["all", "distinctive"]
    with pytest.raises(InputError, match="group 'z' has no distinctive vector"):
        usable_methods(frame, ["x", "y", "z"], ("distinctive",))
    assert [resolve_method(m, "all") for m in ("chosen", "random", "shuffled", "other_group")] == [
        "all", "random", "shuffled_all", "other_group_all"
    ]  # fmt: skip


def test_alike_vectors_are_warned_of_and_vanishing_ones_refused() -> None:
    values = np.random.default_rng(2).standard_normal((4, 1, 8))
    profile = groups([[0.51, 0.5, 0.5, 0.5], [0.5, 0.51, 0.5, 0.5]], [["a0"], ["a1"]])
    _, report = build_steering(profile, activations(values), IDS, SteeringSettings(n_eff=3.999), 1)
    assert any("x and y" in w for w in report["warnings"])
    values[1] = 0
    with pytest.raises(InputError, match="attribute 'a1': its activation vanishes at layer 0"):
        build_steering(profile, activations(values), IDS, SteeringSettings(), 1)
    with pytest.raises(InputError, match="'a3' has no activation"):
        build_steering(profile, activations(values[:3]), IDS, SteeringSettings(), 1)


def test_scaled_vectors_have_the_norm_of_their_layer() -> None:
    values = np.random.default_rng(2).standard_normal((4, 2, 8))
    profile = groups([[1, 0, 0, 0], [0, 1, 0, 0]], [["a0"], ["a1"]])
    frame, _ = build_steering(profile, activations(values), IDS, SteeringSettings(n_eff=2), 1)
    scaled = scaled_vectors(frame.reverse(), [2.0, 5.0])
    assert np.allclose(scaled["all/x"].norm(dim=1).numpy(), [2, 5])
    assert np.allclose(scaled["all/x"][1].numpy() / 5, unit_vector(frame, "x", "all")[1], atol=1e-6)
    with pytest.raises(InputError, match="2 layers, but 3 residual norms"):
        scaled_vectors(frame, [1.0, 1.0, 1.0])
