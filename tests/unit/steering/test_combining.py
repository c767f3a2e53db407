"""The arithmetic that methods share, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sociolect.common.errors import InputError
from sociolect.steering.combining import differences, normalized, weighted_sums, without_directions
from sociolect.steering.material import Material


def test_weighted_sums_by_hand() -> None:
    # two attributes at two blocks
    unit = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, -1.0]]])
    weights = {"all": {"x": np.array([0.75, 0.25]), "y": np.array([0.0, 1.0])}, "distinctive": {}}
    made = Material(("x", "y"), unit, weights, {})
    found = weighted_sums(made, "all")
    assert found["x"].tolist() == [[0.75, 0.25], [0, 0.5]] and found["y"].tolist() == [[0, 1], [0, -1]]
    assert weighted_sums(made, "distinctive") == {}


def test_differences_by_hand() -> None:
    means = np.array([[[3.0, 0.0]], [[0.0, 3.0]], [[0.0, 1.0]]])
    found = differences(means, ["x", "y", "z"])
    assert found["x"].tolist() == [[3, -2]] and found["y"].tolist() == [[-1.5, 2.5]]
    # what all groups share leaves no trace
    moved = differences(means + np.array([10.0, -7.0]), ["x", "y", "z"])
    assert all(np.allclose(moved[group], vector) for group, vector in found.items())


def test_what_is_left_is_orthogonal_to_the_directions_block_by_block() -> None:
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((3, 2, 8)) * np.array([0.1, 1.0, 10.0])[:, None, None]
    vectors = {"x": rng.standard_normal((2, 8)), "y": rng.standard_normal((2, 8))}
    before = {group: vector.copy() for group, vector in vectors.items()}
    left = without_directions(vectors, directions)
    for group, vector in left.items():
        cosines = np.einsum("nld,ld->nl", directions, vector) / np.linalg.norm(directions, axis=2)
        assert abs(cosines).max() < 1e-9
        assert np.array_equal(vectors[group], before[group]), "the input stays as it is"
        # only what they span has gone
        for layer in range(2):
            gone = (before[group] - vector)[layer]
            _, residual, _, _ = np.linalg.lstsq(directions[:, layer].T, gone, rcond=None)
            assert residual.max() < 1e-9
    again = without_directions(left, directions)
    assert all(np.allclose(again[group], vector) for group, vector in left.items())


def test_a_vector_that_is_orthogonal_already_stays_and_directions_of_one_block_concern_no_other() -> None:
    directions = np.array([[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]])
    left = without_directions({"x": np.array([[0.0, 2.0, 3.0], [1.0, 2.0, 3.0]])}, directions)["x"]
    assert np.allclose(left, [[0, 2, 3], [1, 2, 0]])


def test_directions_that_vanish_take_nothing_away() -> None:
    vectors = {"x": np.array([[1.0, 2.0]])}
    assert np.allclose(without_directions(vectors, np.zeros((3, 1, 2)))["x"], [[1, 2]])
    # beside a real one, neither does what is left of rounding
    nearly = np.array([[[1.0, 0.0]], [[1.0, 1e-12]]])
    assert np.allclose(without_directions(vectors, nearly)["x"], [[0, 2]])


def test_unit_length_at_every_block_or_an_error_that_names_it() -> None:
    found = normalized(np.array([[3.0, 4.0], [0.0, -9.0]]), "x")
    assert np.allclose(found, np.array([[0.6, 0.8], [0, -1]]))
    with pytest.raises(InputError, match=r"group 'g', method m: the vectors .* cancel out at layer 1"):
        normalized(np.array([[3.0, 1.0], [0.0, 1e-9]]), "group 'g', method m")
