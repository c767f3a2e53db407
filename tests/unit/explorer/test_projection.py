"""The map is the same every time, and says what it leaves out."""

from __future__ import annotations

import numpy as np
import pytest

from sociolect.explorer.projection import project

TEXTS = np.array([[3.0, 0.0, 0.0], [-3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
GROUPS = np.array([[2.0, 0.0, 0.0], [-2.0, 0.0, 0.0]])


def test_what_lies_in_a_plane_is_shown_as_it_is() -> None:
    shown = project(TEXTS, GROUPS, "euclidean")
    np.testing.assert_allclose(shown.texts, TEXTS[:, :2], atol=1e-12)
    np.testing.assert_allclose(shown.groups, GROUPS[:, :2], atol=1e-12)
    assert (shown.variance, shown.agreement) == (pytest.approx(1.0), 1.0)


def test_a_third_direction_is_left_out_and_counted() -> None:
    # sums of squares 18, 2 and .5
    texts = np.vstack([TEXTS, [[0.0, 0.0, 0.5], [0.0, 0.0, -0.5]]])
    shown = project(texts, np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.5]]), "euclidean")
    assert shown.variance == pytest.approx(20 / 20.5)
    # on the map the second group is at (0, 0): (0, 1), (0, -1) and the last text are nearer to it there, not in truth
    assert shown.agreement == 3 / 6


def test_a_turn_of_the_embedding_changes_no_distance_on_the_map() -> None:
    rng = np.random.default_rng(0)
    texts, groups = rng.normal(size=(50, 5)) * [5, 3, 1, 1, 1], rng.normal(size=(4, 5))
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    one, other = project(texts, groups, "euclidean"), project(texts @ turn, groups @ turn, "euclidean")
    gaps = [np.linalg.norm(p.texts[:, None] - p.groups[None], axis=2) for p in (one, other)]
    np.testing.assert_allclose(gaps[0], gaps[1], atol=1e-9)
    assert one.agreement == other.agreement


def test_embeddings_that_are_compared_by_their_angle_lie_on_a_circle() -> None:
    shown = project(TEXTS * [[1], [7], [2], [5]], GROUPS, "cosine")
    np.testing.assert_allclose(np.linalg.norm(shown.texts, axis=1), 1.0)


@pytest.mark.parametrize("texts", [np.array([[1.0], [2.0], [4.0]]), np.array([[1.0, 2.0]])])
def test_one_number_or_one_text_has_a_map_too(texts: np.ndarray) -> None:
    shown = project(texts, texts[:1], "euclidean")
    assert shown.texts.shape == (len(texts), 2) and np.isfinite(shown.texts).all() and shown.variance == 1.0
