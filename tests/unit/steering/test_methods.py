"""Each method on a tiny material by hand, and what the registry promises."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from sociolect.common.errors import InputError
from sociolect.lm.requests import MODES
from sociolect.settings.steering import OF_THE_STATE, Method
from sociolect.steering.material import Material
from sociolect.steering.methods import METHODS, reads_of
from sociolect.steering.readings import KINDS

NAMES = ("x", "y", "z")


def cells(*means: tuple[float, ...]) -> np.ndarray:
    """Readings [G, 2, 1, d] whose two folds have these means."""
    values = np.array(means)[:, None, None, :]
    return np.concatenate([values - 1, values + 1], axis=1)


@pytest.fixture
def material() -> Material:
    unit = np.eye(4)[[0, 1, 2]][:, None, :]
    weights = {
        "all": {"x": np.array([0.5, 0.5, 0]), "y": np.array([0, 0.2, 0.8]), "z": np.array([1.0, 0, 0])},
        "distinctive": {"x": np.array([0, 1.0, 0])},
    }
    read = {
        "answers": cells((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0)),
        "replaced": cells((3, 0, 0, 5), (0, 3, 0, 5), (0, 0, 6, 1)),
        # the groups' questions differ along the first axis alone, their content words along the last
        "questions": cells((9, 1, 1, 1), (5, 1, 1, 1), (4, 1, 1, 1)),
        "content": cells((2, 2, 2, 7), (2, 2, 2, -1), (2, 2, 2, 3)),
        "human_minus_model": cells((0, 0, 8, 1), (0, 0, 8, 2), (0, 0, 8, 3)),
        "prompted_minus_plain": cells((1, 1, 0, 0), (2, 2, 0, 0), (3, 3, 0, 0)),
    }
    return Material(NAMES, unit, weights, read)


# group x and y; of x minus the mean of y and z, and so on
BY_HAND = {
    "all": ([0.5, 0.5, 0, 0], [0, 0.2, 0.8, 0]),
    "distinctive": ([0, 1, 0, 0], None),
    "mean_difference": ([1, -0.5, 0, 0], [-0.5, 1, 0, 0]),
    "content_free": ([3, -1.5, -3, 2], [-1.5, 3, -3, 2]),
    "topic_free": ([0, -1.5, -3, 0], [0, 3, -3, 0]),
    "own_answer": ([0, 0, 0, -1.5], [0, 0, 0, 0]),
    "prompt_difference": ([1, 1, 0, 0], [2, 2, 0, 0]),
    "adaptive": ([3, -1.5, -3, 2], [-1.5, 3, -3, 2]),
    "rotated": ([3, -1.5, -3, 2], [-1.5, 3, -3, 2]),
}


@pytest.mark.parametrize("name", get_args(Method))
def test_vectors_by_hand_of_nothing_but_what_the_method_says_it_reads(name: str, material: Material) -> None:
    method = METHODS[name]
    found = method.vectors(replace(material, read={kind: material.read[kind] for kind in method.READS}))
    x, y = BY_HAND[name]
    assert np.allclose(found["x"], np.array([x]), atol=1e-9)
    if y is None:
        assert list(found) == ["x"], "a group without distinctive attributes cannot be steered so"
    else:
        assert sorted(found) == list(NAMES) and np.allclose(found["y"], np.array([y]), atol=1e-9)
    for lacking in method.READS:
        with pytest.raises(InputError, match=f"the groups' {lacking} were not read"):
            method.vectors(replace(material, read={k: v for k, v in material.read.items() if k != lacking}))


def test_a_topic_that_does_not_differ_takes_nothing_away(material: Material) -> None:
    same = {kind: material.read[kind][:1].repeat(3, axis=0) for kind in ("questions", "content")}
    found = METHODS["topic_free"].vectors(replace(material, read={**material.read, **same}))
    plain = METHODS["content_free"].vectors(material)
    assert all(np.allclose(found[group], plain[group]) for group in NAMES)


def test_the_registry_is_what_the_settings_offer() -> None:
    assert set(METHODS) == set(get_args(Method)) == set(BY_HAND)
    assert {method.MODE for method in METHODS.values()} <= set(MODES)
    # what vLLM refuses are exactly the methods that do more than add
    assert {name for name, method in METHODS.items() if method.MODE != "add"} == set(OF_THE_STATE)
    assert {kind for method in METHODS.values() for kind in method.READS} == set(KINDS)
    assert reads_of(("topic_free", "content_free", "all")) == ["content", "questions", "replaced"]
    assert reads_of(("all", "distinctive")) == []


@pytest.mark.parametrize("name", ["mean_difference", "topic_free", "content_free", "own_answer"])
def test_vectors_of_shuffled_labels_are_no_closer_to_their_group_than_to_others(name: str) -> None:
    rng = np.random.default_rng(0)
    groups, folds, width = 4, 8, 32
    style = 3 * rng.standard_normal((groups, 1, 1, width))
    read = {kind: style + rng.standard_normal((groups, folds, 1, width)) for kind in KINDS}
    read |= {kind: rng.standard_normal((groups, folds, 1, width)) for kind in ("questions", "content")}
    made = Material(tuple("abcd"), np.zeros((1, 1, width)), {}, read)
    centers = style[:, 0, 0] - style[:, 0, 0].mean(axis=0)

    def closeness(material: Material) -> float:
        """Mean projection on the own group's direction, less that on the others'."""
        vectors = np.stack([v[0] for _, v in sorted(METHODS[name].vectors(material).items())])
        along = vectors @ centers.T
        return float(np.trace(along) / groups - (along.sum() - np.trace(along)) / groups / (groups - 1))

    true = closeness(made)
    shuffled = [closeness(made.shuffled(np.random.default_rng(seed))) for seed in range(200)]
    assert abs(np.mean(shuffled)) < 4 * np.std(shuffled) / np.sqrt(200) and abs(np.mean(shuffled)) < 0.05 * true
