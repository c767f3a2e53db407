"""The three metrics on worked examples in the plane; edge cases; invariances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sociolect.common.errors import InputError
from sociolect.evaluation.metrics import Changes, group_changes, group_directions, nearest_groups

CENTERS = np.array([[10.0, 0.0], [0.0, 10.0], [-10.0, 0.0]])  # groups 0, 1, 2
A, B, C = 0, 1, 2


def changes(before: Sequence[float], after: Sequence[float], target: int, **more: Any) -> Changes:
    more = {name: np.array([value]) for name, value in more.items()}
    return group_changes(np.array([before]), np.array([after]), CENTERS, np.array([target]), "euclidean", **more)


def flags(found: Changes) -> dict[str, Any]:
    return {name: value[0].item() for name, value in vars(found).items()}


def test_a_change_to_the_target() -> None:
    assert flags(changes((9, 0), (1, 9), B)) == {
        "nearest": B,
        "reference": A,
        "tie": False,
        "zero": False,
        "changed": True,
        "to_target": True,
        "eligible": True,
        "lost": False,
        "hit": True,
    }


def test_a_change_to_another_group_and_a_loss() -> None:
    other = flags(changes((9, 0), (-9, 1), B))
    assert other["changed"] and other["eligible"] and not (other["to_target"] or other["hit"] or other["lost"])
    lost = flags(changes((9, 0), (1, 9), A))
    assert lost["changed"] and lost["lost"] and not (lost["eligible"] or lost["hit"] or lost["to_target"])


def test_staying_in_the_target_is_a_hit_and_no_change() -> None:
    found = flags(changes((9, 0), (8, 1), A))
    assert found["hit"] and not (found["changed"] or found["to_target"] or found["eligible"] or found["lost"])


@pytest.mark.parametrize(("before", "winner"), [((9, 0), A), ((0, 9), B), ((-9, 0), A)])
def test_a_tie_keeps_the_reference_else_takes_the_smallest_id(before: tuple[float, float], winner: int) -> None:
    found = flags(changes(before, (5, 5), B))  # as far from A as from B
    assert found["nearest"] == winner and found["tie"]


def test_zero_difference_is_no_change_and_no_direction() -> None:
    found = flags(changes((5, 5), (5, 5), B))
    assert found["zero"] and not found["changed"]
    directions = group_directions(np.array([[5.0, 5.0]]), np.array([[5.0, 5.0]]), CENTERS, np.array([B]))
    assert all(np.isnan(value).all() for value in vars(directions).values())


def test_an_empty_generation_is_no_change_no_hit_and_has_no_direction() -> None:
    found = flags(changes((9, 0), (0, 9), B, empty=True))
    assert found["nearest"] == A and found["eligible"] and not (found["changed"] or found["hit"] or found["to_target"])
    assert not flags(changes((9, 0), (8, 0), A, empty=True))["hit"]
    directions = group_directions(
        np.array([[9.0, 0.0]]), np.array([[0.0, 9.0]]), CENTERS, np.array([B]), without=np.array([True])
    )
    assert np.isnan(directions.distance[0]) and np.isnan(directions.rank[0])


def test_an_empty_reference_can_only_be_hit() -> None:
    found = flags(changes((9, 0), (0, 9), B, empty_before=True))
    assert found["hit"] and not (found["changed"] or found["to_target"] or found["eligible"] or found["lost"])


def test_what_is_not_finite_is_an_error() -> None:
    with pytest.raises(InputError, match="not finite"):
        changes((9, 0), (math.nan, 0), A)
    with pytest.raises(InputError, match="not finite"):
        group_directions(np.array([[0.0, math.inf]]), np.array([[0.0, 1.0]]), CENTERS, np.array([A]))
    with pytest.raises(InputError, match="no group"):
        nearest_groups(np.zeros((1, 2)), np.zeros((0, 2)), "euclidean")


def test_directions_by_hand() -> None:
    found = group_directions(np.array([[9.0, 0.0]]), np.array([[1.0, 9.0]]), CENTERS, np.array([B]))
    # e1 - e0 = (-8, 9); c[B] = (0, 10); mean c = (0, 10/3); c[B] - e0 = (-9, 10)
    assert found.distance[0] == pytest.approx(1 - 9 / math.sqrt(145))
    assert found.centered[0] == pytest.approx(9 / math.sqrt(145))
    assert found.to_target[0] == pytest.approx(162 / math.sqrt(145 * 181))
    assert found.rank[0] == 1
    # towards C the centered cosines are B .747, C (80 - 30) / ..., A negative
    towards_c = group_directions(np.array([[9.0, 0.0]]), np.array([[1.0, 9.0]]), CENTERS, np.array([C]))
    assert towards_c.centered[0] == pytest.approx(50 / math.sqrt(145 * (100 + 100 / 9)))
    assert towards_c.rank[0] == 2
    towards_a = group_directions(np.array([[9.0, 0.0]]), np.array([[1.0, 9.0]]), CENTERS, np.array([A]))
    assert towards_a.rank[0] == 3


def test_no_direction_to_a_target_that_is_reached_already() -> None:
    found = group_directions(CENTERS[[B]], np.array([[1.0, 9.0]]), CENTERS, np.array([B]))
    assert np.isnan(found.to_target[0]) and np.isfinite(found.distance[0])


def test_distances_may_disagree() -> None:
    centers = np.array([[1.0, 0.0], [8.0, 8.0]])
    point = np.array([[2.0, 1.9]])  # close to the first, in the direction of the second
    assert nearest_groups(point, centers, "euclidean")[0][0] == 0
    assert nearest_groups(point, centers, "cosine")[0][0] == 1


def _random(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(50, 4)), rng.normal(size=(50, 4)), rng.normal(size=(5, 4)), rng.integers(5, size=50)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_a_rotation_changes_nothing(distance: Any) -> None:
    before, after, centers, target = _random(1)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    plain = group_changes(before, after, centers, target, distance)
    turned = group_changes(before @ turn, after @ turn, centers @ turn, target, distance)
    for name, value in vars(plain).items():
        assert np.array_equal(value, vars(turned)[name]), name
    turned_directions = vars(group_directions(before @ turn, after @ turn, centers @ turn, target))
    for name, value in vars(group_directions(before, after, centers, target)).items():
        np.testing.assert_allclose(value, turned_directions[name], atol=1e-9, err_msg=name)


def test_a_translation_changes_only_the_distance() -> None:
    before, after, centers, target = _random(3)
    move = np.array([5.0, -3.0, 2.0, 7.0])
    moved = vars(group_changes(before + move, after + move, centers + move, target, "euclidean"))
    for name, value in vars(group_changes(before, after, centers, target, "euclidean")).items():
        assert np.array_equal(value, moved[name]), name
    plain = group_directions(before, after, centers, target)
    moved_directions = group_directions(before + move, after + move, centers + move, target)
    for name in ("centered", "to_target", "rank"):
        np.testing.assert_allclose(vars(plain)[name], vars(moved_directions)[name], atol=1e-9)
    assert np.abs(plain.distance - moved_directions.distance).max() > 0.1
