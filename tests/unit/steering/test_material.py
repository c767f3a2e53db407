"""What methods use: in whatever order tables lie, and with labels that mean nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import vectors
from sociolect.common.errors import InputError
from sociolect.steering.material import Material, activation_tensor, fold_means, material_of

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


def readings(kinds: dict[str, np.ndarray]) -> pl.DataFrame:
    """READINGS of groups x, y, ... from [G, folds, L, d] by kind."""
    frames = []
    for kind, values in kinds.items():
        rows = [
            (kind, "xyz"[g], fold, layer, 1)
            for g in range(values.shape[0])
            for fold in range(values.shape[1])
            for layer in range(values.shape[2])
        ]
        frame = pl.DataFrame(rows, schema=["kind", "group", "fold", "layer", "n"], orient="row")
        frames.append(frame.with_columns(vectors(values.reshape(len(rows), -1), "vector")))
    return pl.concat(frames)


def weights(*rows: list[float]) -> dict[str, dict[str, np.ndarray]]:
    return {"all": {group: np.array(row) for group, row in zip("xyz", rows, strict=False)}}


def shuffle(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sample(fraction=1.0, shuffle=True, seed=3)


def test_tables_become_tensors_whatever_the_order_of_their_rows() -> None:
    rng = np.random.default_rng(0)
    values, read = rng.standard_normal((4, 2, 5)), {"answers": rng.standard_normal((3, 4, 2, 5))}
    w = weights([1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0])
    made = material_of(["z", "x", "y"], shuffle(activations(values)), IDS, w, shuffle(readings(read)))
    assert made.groups == ("x", "y", "z")
    assert np.allclose(made.unit, values / np.linalg.norm(values, axis=2, keepdims=True), atol=1e-6)
    assert np.allclose(made.read["answers"], read["answers"], atol=1e-6)
    assert np.allclose(made.means("answers"), read["answers"].mean(axis=1), atol=1e-6)
    assert np.allclose(made.folds([1, 3]).means("answers"), read["answers"][:, [1, 3]].mean(axis=1), atol=1e-6)
    assert np.allclose(activation_tensor(activations(values), IDS[::-1]), values[::-1], atol=1e-6)


def test_an_attribute_without_a_direction_may_not_weigh() -> None:
    values = np.ones((4, 2, 3))
    values[1, 1] = 0
    frame, none = activations(values), readings({"answers": np.zeros((1, 1, 1, 1))})
    made = material_of(["x"], frame, IDS, weights([0.5, 0, 0.5, 0]), none)
    assert made.unit[1, 1].tolist() == [0, 0, 0]
    with pytest.raises(InputError, match="attribute 'a1': its activation vanishes at layer 1"):
        material_of(["x"], frame, IDS, weights([0.5, 0.1, 0.4, 0]), none)


def test_tables_that_do_not_fit_are_refused() -> None:
    values = np.ones((4, 2, 3))
    with pytest.raises(InputError, match="'a3' has no activation"):
        activation_tensor(activations(values[:3]), IDS)
    with pytest.raises(InputError, match="layers 0 to 1 of every attribute"):
        activation_tensor(activations(values)[1:], IDS)
    frame = readings({"answers": np.ones((3, 2, 2, 2)), "questions": np.ones((3, 2, 2, 2))})
    for lacking in (
        (pl.col("kind") == "questions") & (pl.col("group") == "y"),
        (pl.col("kind") == "questions") & (pl.col("fold") == 1) & (pl.col("group") == "y"),
        (pl.col("kind") == "questions") & (pl.col("layer") == 0) & (pl.col("fold") == 0),
    ):
        with pytest.raises(InputError, match="questions: not every group, fold and block was read"):
            fold_means(frame.filter(~lacking), ["x", "y", "z"])
    assert fold_means(frame[:0], ["x", "y", "z"]) == {}
    made = Material(("x",), values, weights([1, 0, 0, 0]), {"answers": values[None]})
    with pytest.raises(InputError, match="the groups' questions were not read, there are answers; read again"):
        made.means("questions")


def dealt(seed: int = 0, **more: Any) -> tuple[Material, Material]:
    """Material of 3 groups with 4 folds, each fold a number of its own; and it with labels that mean nothing."""
    cells = np.arange(12.0).reshape(3, 4, 1, 1)
    w = weights([0.7, 0.3, 0, 0], [0.1, 0.2, 0.3, 0.4], [0, 0, 0, 1])
    read = {"answers": cells, "questions": 100 * cells, "own": np.arange(6.0).reshape(3, 2, 1, 1), **more}
    made = Material(("x", "y", "z"), np.ones((4, 1, 1)), w, read)
    return made, made.shuffled(np.random.default_rng(seed))


def test_shuffling_deals_the_folds_of_all_groups_to_all_groups_and_loses_none() -> None:
    made, other = dealt()
    for kind, values in made.read.items():
        assert other.read[kind].shape == values.shape
        assert sorted(other.read[kind].ravel()) == sorted(values.ravel()) and (other.read[kind] != values).any()
    # over many deals a fold lands in each group as often
    first = [np.argwhere(dealt(seed)[1].read["answers"] == 0)[0][0] for seed in range(600)]
    assert np.allclose(np.bincount(first, minlength=3) / 600, 1 / 3, atol=0.06)


def test_kinds_that_are_paired_stay_paired_whatever_other_kinds_there_are() -> None:
    _, other = dealt()
    assert np.array_equal(other.read["questions"], 100 * other.read["answers"])
    _, more = dealt(another=np.arange(12.0).reshape(3, 4, 1, 1))
    assert np.array_equal(more.read["answers"], other.read["answers"])


def test_shuffling_deals_each_group_s_weights_to_other_attributes() -> None:
    made, other = dealt()
    for group, w in made.weights["all"].items():
        assert sorted(other.weights["all"][group]) == sorted(w)
    assert any((other.weights["all"][group] != w).any() for group, w in made.weights["all"].items())
    assert np.array_equal(other.unit, made.unit) and made.weights["all"]["z"].tolist() == [0, 0, 0, 1]
