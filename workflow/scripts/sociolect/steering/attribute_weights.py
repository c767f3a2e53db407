"""Weights of a group's style attributes, and those of them that its prompts name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.settings.steering import SteeringSettings
from sociolect.steering.weights import calibrate_temperature, selection_mask, softmax_weights, transform_profile

__all__ = ["Weights", "group_weights", "heaviest_attributes", "named_attributes"]

_COLUMNS = {"style": "style", "mean": "mean_style", "usage": "usage"}
Weights = dict[str, dict[str, np.ndarray]]


def group_weights(groups: pl.DataFrame, attribute_ids: Sequence[str], settings: SteeringSettings) -> Weights:
    """Weights w[g, a] [K], summing to 1, by set of attributes and group.

    The set `distinctive` is that of the group's distinctive attributes; a group that has none has no entry in it.

    Raises:
        InputError: profiles and catalogue differ in width, or a distinctive attribute is not in the catalogue.
    """
    groups = groups.sort("group")
    profile = transform_profile(matrix(groups[_COLUMNS[settings.statistic]]), settings.transform)
    if profile.shape[1] != len(attribute_ids):
        raise InputError(
            f"group profiles have {profile.shape[1]} attributes, the catalogue {len(attribute_ids)}; profile again"
        )
    weights: Weights = {"all": {}, "distinctive": {}}
    for row, group in enumerate(groups["group"]):
        masks = {"all": None, "distinctive": selection_mask(attribute_ids, list(groups["distinctive"][row]))}
        for name, mask in masks.items():
            if mask is None or mask.any():
                temperature = calibrate_temperature(profile[row], settings.n_eff, mask)
                weights[name][group] = softmax_weights(profile[row], temperature, mask)
    return weights


def heaviest_attributes(
    groups: pl.DataFrame, attribute_ids: Sequence[str], settings: SteeringSettings
) -> dict[str, list[str]]:
    """Ids of the attributes that a group's prompts name: those that weigh most in its vector, so every group has some.

    Ties go to the smaller id.
    """
    k = settings.named if settings.named is not None else max(1, round(settings.n_eff))
    named = {}
    for group, w in group_weights(groups, attribute_ids, settings)["all"].items():
        order = sorted((a for a in range(len(w)) if w[a] > 0), key=lambda a, w=w: (-w[a], attribute_ids[a]))  # type: ignore[misc]
        named[group] = [attribute_ids[a] for a in order[:k]]
    return named


def named_attributes(groups: pl.DataFrame, catalogue: pl.DataFrame, settings: SteeringSettings) -> dict[str, list[str]]:
    """The same in words: group -> attributes that its prompts name, each the X of "You use X.".

    Args:
        groups: GROUPS.
        catalogue: CATALOGUE.
        settings: of the weights.
    """
    words = dict(catalogue.select("attribute_id", "attribute").iter_rows())
    ids = heaviest_attributes(groups, catalogue["attribute_id"].to_list(), settings)
    return {group: [words[a] for a in own] for group, own in ids.items()}
