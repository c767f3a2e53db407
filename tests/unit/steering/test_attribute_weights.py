"""Weights of a group's attributes, and those that its prompts name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import vectors
from sociolect.common.errors import InputError
from sociolect.settings.steering import SteeringSettings
from sociolect.steering.attribute_weights import group_weights, heaviest_attributes, named_attributes
from sociolect.steering.weights import effective_number

IDS = ["a0", "a1", "a2", "a3"]


def groups(style: Sequence[Sequence[float]], distinctive: Sequence[Sequence[str]]) -> pl.DataFrame:
    values = np.array(style, dtype=float)
    return pl.DataFrame({"group": ["x", "y", "z"][: len(style)]}).with_columns(
        vectors(values, "style"),
        vectors(values[:, ::-1], "usage"),
        pl.Series("distinctive", distinctive, dtype=pl.List(pl.String)),
    )


def settings(**more: Any) -> SteeringSettings:
    return SteeringSettings(**{"transform": "raw", "n_eff": 2.0, **more})


def test_weights_by_hand() -> None:
    # two attributes share the top: half each, and the others next to nothing
    frame = groups([[1, 0, 1, 0], [0.1, 0.2, 0.3, 0.4]], [["a1", "a3"], []])
    weights = group_weights(frame, IDS, settings())
    assert np.allclose(weights["all"]["x"], [0.5, 0, 0.5, 0])
    assert effective_number(weights["all"]["y"]) == pytest.approx(2) and weights["all"]["y"].argmax() == 3
    # only its distinctive attributes weigh, equally where there are no more than n_eff
    assert np.allclose(weights["distinctive"]["x"], [0, 0.5, 0, 0.5])
    assert list(weights["distinctive"]) == ["x"], "no silent fallback for a group without any"
    # of another profile
    assert np.allclose(group_weights(frame, IDS, settings(statistic="usage"))["all"]["x"], [0, 0.5, 0, 0.5])
    back = group_weights(frame.reverse(), IDS, settings())
    assert all(np.array_equal(back["all"][group], weights["all"][group]) for group in "xy")


def test_centered_profiles_weigh_what_a_group_has_more_than_others() -> None:
    frame = groups([[0.9, 0.5, 0.3, 0.1], [0.9, 0.1, 0.3, 0.5]], [[], []])
    found = group_weights(frame, IDS, SteeringSettings(n_eff=1.5))["all"]
    assert found["x"].argmax() == 1 and found["y"].argmax() == 3


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="profiles have 4 attributes, the catalogue 3; profile again"):
        group_weights(groups([[1, 0, 1, 0]], [[]]), IDS[:3], settings())
    with pytest.raises(InputError, match="'a9' is not in the catalogue"):
        group_weights(groups([[1, 0, 1, 0]], [["a9"]]), IDS, settings())


def test_every_group_s_prompts_name_its_heaviest_attributes() -> None:
    frame = groups([[0.1, 0.2, 0.3, 0.4], [4, 3, 2, 1], [1, 2, 2, 1]], [["a0"], [], ["a3"]])
    named = heaviest_attributes(frame, IDS, settings(named=2))
    catalogue = pl.DataFrame({"attribute_id": IDS, "attribute": [f"word {i}" for i in IDS]})
    said = named_attributes(frame, catalogue, settings(named=2))
    assert said == {group: [f"word {i}" for i in own] for group, own in named.items()}
    # by weight, whether distinctive or not
    assert named == {"x": ["a3", "a2"], "y": ["a0", "a1"], "z": ["a1", "a2"]}
    for n_eff, n in ((1.0, 1), (2.4, 2), (2.6, 3), (100.0, 4)):
        found = heaviest_attributes(frame, IDS, settings(n_eff=n_eff))
        assert [len(found[group]) for group in "xy"] == [n, n], n_eff


def test_ties_go_to_the_smaller_id_and_what_weighs_nothing_is_not_named() -> None:
    mixed = ["a3", "a1", "a2", "a0"]
    assert heaviest_attributes(groups([[1, 1, 1, 1]], [[]]), mixed, settings(named=3)) == {"x": ["a0", "a1", "a2"]}
    # all weight lies on the two at the top
    assert heaviest_attributes(groups([[0, 9, 0, 9]], [[]]), mixed, settings(named=3)) == {"x": ["a0", "a1"]}
