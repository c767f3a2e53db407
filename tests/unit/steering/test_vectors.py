"""Group vectors of all methods, their controls, and the report on them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import check_table, matrix
from sociolect.common.errors import InputError
from sociolect.common.schemas import STEERING
from sociolect.generation.conditions import conditions_of, resolve_method
from sociolect.steering.material import Material
from sociolect.steering.readings import KINDS
from sociolect.steering.vectors import built_vectors, group_vectors, steering_report, steering_table

METHODS = ("all", "distinctive", "mean_difference")
NAMES = ("x", "y", "z")


def made(seed: int = 0, layers: int = 2, width: int = 64) -> Material:
    """Random readings and directions; z has no distinctive attributes."""
    rng = np.random.default_rng(seed)
    unit = rng.standard_normal((6, layers, width))
    weights = {
        "all": {group: rng.dirichlet(np.ones(6)) for group in NAMES},
        "distinctive": {"x": np.array([1.0, 0, 0, 0, 0, 0]), "y": np.array([0, 0.5, 0.5, 0, 0, 0])},
    }
    read = {kind: rng.standard_normal((3, 8, layers, width)) for kind in KINDS}
    return Material(NAMES, unit / np.linalg.norm(unit, axis=2, keepdims=True), weights, read)


def vector(frame: pl.DataFrame, group: str, method: str) -> np.ndarray:
    return matrix(frame.filter((pl.col("group") == group) & (pl.col("method") == method)).sort("layer")["vector"])


def test_a_group_has_all_methods_that_can_steer_it_each_with_its_controls() -> None:
    frame, built = steering_table(made(), METHODS, 1)
    check_table(frame, STEERING, "test")
    assert np.allclose(np.linalg.norm(matrix(frame["vector"]), axis=1), 1, atol=1e-6)
    have = {group: set(frame.filter(pl.col("group") == group)["method"]) for group in NAMES}
    every = {f"{control}{method}" for control in ("", "shuffled_", "other_group_") for method in METHODS}
    assert have["x"] == have["y"] == {"random", "topic", *every}
    assert have["z"] == {"random", "topic", *(name for name in every if "distinctive" not in name)}, (
        "no silent fallback"
    )
    assert {key for key in built} == {(g, m) for g in NAMES for m in METHODS if (g, m) != ("z", "distinctive")}
    # whatever method is chosen, every condition of the table finds its vector
    for method in ("all", "mean_difference"):
        wanted = {resolve_method(c.method, method) for c in conditions_of([]).values() if c.method is not None}
        assert all(wanted <= have[group] for group in NAMES)


def test_other_group_is_the_next_group_that_has_a_vector() -> None:
    frame, _ = steering_table(made(), METHODS, 1)
    for method, nexts in (("all", {"x": "y", "y": "z", "z": "x"}), ("distinctive", {"x": "y", "y": "x"})):
        for group, other in nexts.items():
            assert np.array_equal(vector(frame, group, f"other_group_{method}"), vector(frame, other, method))
    alone = made()
    alone.weights["distinctive"].pop("y")
    frame, _ = steering_table(alone, METHODS, 1)
    assert "other_group_distinctive" not in set(frame["method"]) and "shuffled_distinctive" in set(frame["method"])


def test_topic_is_what_the_content_words_of_the_group_say_whatever_the_method() -> None:
    material = made()
    frame, _ = steering_table(material, ["all"], 1)
    means = material.read["content"].mean(axis=1)
    direction = means[1] - (means[0] + means[2]) / 2
    assert np.allclose(vector(frame, "y", "topic"), direction / np.linalg.norm(direction, axis=1)[:, None], atol=1e-6)


def test_random_and_shuffled_vectors_follow_the_seed_and_not_the_group() -> None:
    material = made()
    frame, built = steering_table(material, METHODS, 1)
    noise = [vector(frame, group, "random") for group in NAMES]
    # of 64 dimensions: neither like each other nor like the group's vector
    assert all(abs((a * b).sum(axis=1)).max() < 0.5 for a, b in combinations(noise, 2))
    assert all(abs((a * built[g, "all"]).sum(axis=1)).max() < 0.5 for a, g in zip(noise, NAMES, strict=True))
    again, _ = steering_table(material, METHODS, 1)
    other, _ = steering_table(material, METHODS, 2)
    assert again.equals(frame)
    for method in METHODS:
        assert np.array_equal(vector(other, "x", method), vector(frame, "x", method))
        assert not np.allclose(vector(other, "x", f"shuffled_{method}"), vector(frame, "x", f"shuffled_{method}"))
    # a method's controls do not depend on which other methods there are
    few, _ = steering_table(material, ["mean_difference"], 1)
    for name in ("random", "shuffled_mean_difference", "other_group_mean_difference"):
        assert np.array_equal(vector(few, "y", name), vector(frame, "y", name))


def test_floors_are_projections_of_the_average_answer() -> None:
    material = made()
    frame, built = steering_table(material, METHODS, 1)
    average = material.read["answers"].mean(axis=(0, 1))
    for name in ("all", "random"):
        rows = frame.filter((pl.col("group") == "y") & (pl.col("method") == name)).sort("layer")
        assert np.allclose(rows["floor"].to_numpy(), (average * vector(frame, "y", name)).sum(axis=1), atol=1e-6)
    assert set(built) == set(built_vectors(material, METHODS))


def test_a_vector_that_vanishes_names_group_method_and_block() -> None:
    material = made()
    material.read["answers"][:] = material.read["answers"][:1]
    with pytest.raises(InputError, match=r"group 'x', method mean_difference: .* cancel out at layer 0"):
        group_vectors(material, "mean_difference")


def test_the_report_says_what_weighs_and_which_groups_steering_cannot_tell_apart() -> None:
    material = made()
    ids = [f"a{i}" for i in range(6)]
    material.weights["all"]["y"] = material.weights["all"]["x"] + 1e-3
    built = built_vectors(material, METHODS)
    report = steering_report(material.weights, built, ids)
    assert report["groups"]["y"]["distinctive"] == {
        "n_eff": 2.0,
        "heaviest": [{"attribute_id": "a1", "weight": 0.5}, {"attribute_id": "a2", "weight": 0.5}],
    }
    assert "distinctive" not in report["groups"]["z"]
    heaviest = [entry["weight"] for entry in report["groups"]["x"]["all"]["heaviest"]]
    assert heaviest == sorted(material.weights["all"]["x"], reverse=True)
    pairs = {(c["method"], c["group"], c["other"]) for c in report["cosines"]}
    three = [("x", "y"), ("x", "z"), ("y", "z")]
    assert pairs == {(m, *pair) for m in ("all", "mean_difference") for pair in three} | {("distinctive", "x", "y")}
    (warning,) = report["warnings"]
    assert warning.startswith("all: the vectors of x and y have cosine 1.000")
    (pair,) = [c for c in report["cosines"] if (c["method"], c["group"], c["other"]) == ("all", "x", "z")]
    assert np.allclose(pair["layers"], (built["x", "all"] * built["z", "all"]).sum(axis=1))
