"""Group vectors: unit attribute vectors, weighted by a softmax over the group's profile, and controls.

v[g, l] = sum_a w[g, a] u[a, l] / ||u[a, l]||, normalized to unit length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix, vectors
from sociolect.common.errors import InputError
from sociolect.common.seeds import seed_of
from sociolect.settings.steering import SteeringSettings
from sociolect.steering.weights import (
    calibrate_temperature,
    effective_number,
    selection_mask,
    softmax_weights,
    transform_profile,
)

__all__ = ["activation_tensor", "build_steering", "combine", "group_weights", "steering_report"]

EPS = 1e-6
ALIKE = 0.95
_COLUMNS = {"style": "style", "mean": "mean_style", "usage": "usage"}
Weights = dict[tuple[str, str], np.ndarray]


def activation_tensor(activations: pl.DataFrame, attribute_ids: Sequence[str]) -> np.ndarray:
    """ACTIVATIONS as u[a, l], float64 [K, layers, d], attributes in the order given.

    Raises:
        InputError: an attribute has no vectors, or not one per layer.
    """
    n_layers = activations["layer"].n_unique()
    rank = {attribute: i for i, attribute in enumerate(attribute_ids)}
    missing = sorted(set(rank) - set(activations["attribute_id"]))
    if missing:
        raise InputError(f"attribute {missing[0]!r} has no activation; catalogue and activations differ, extract again")
    frame = activations.filter(pl.col("attribute_id").is_in(list(rank)))
    order = frame["attribute_id"].replace_strict(rank, return_dtype=pl.Int64)
    frame = frame.with_columns(order.alias("rank")).sort("rank", "layer")
    if frame.height != len(rank) * n_layers or frame["layer"].to_list() != list(range(n_layers)) * len(rank):
        raise InputError(f"activations must have layers 0 to {n_layers - 1} of every attribute; extract again")
    return matrix(frame["vector"]).reshape(len(rank), n_layers, -1)


def group_weights(groups: pl.DataFrame, attribute_ids: Sequence[str], settings: SteeringSettings) -> Weights:
    """Weights w[g, a] of each (group, method), [K], summing to 1.

    Method `distinctive` takes only the group's distinctive attributes; a group that has none has no entry.

    Raises:
        InputError: profiles and catalogue differ in width.
    """
    groups = groups.sort("group")
    profile = transform_profile(matrix(groups[_COLUMNS[settings.statistic]]), settings.transform)
    if profile.shape[1] != len(attribute_ids):
        raise InputError(
            f"group profiles have {profile.shape[1]} attributes, the catalogue {len(attribute_ids)}; profile again"
        )
    weights: Weights = {}
    for row, group in enumerate(groups["group"]):
        masks = {"all": None, "distinctive": selection_mask(attribute_ids, list(groups["distinctive"][row]))}
        for method in settings.methods:
            mask = masks[method]
            if mask is None or mask.any():
                temperature = calibrate_temperature(profile[row], settings.n_eff, mask)
                weights[group, method] = softmax_weights(profile[row], temperature, mask)
    return weights


def combine(unit: np.ndarray, weights: np.ndarray, what: str) -> np.ndarray:
    """Weighted sum of unit vectors [K, layers, d], normalized per layer: [layers, d].

    Raises:
        InputError: the sum vanishes at a layer, so it has no direction; names `what`.
    """
    total = np.einsum("k,kld->ld", weights, unit)
    norms = np.linalg.norm(total, axis=1)
    if norms.min() < EPS:
        raise InputError(
            f"{what}: the weighted attribute vectors cancel out at layer {int(norms.argmin())}; "
            "lower steering.n_eff, or set activations.contrast to neutral"
        )
    return np.asarray(total / norms[:, None])


def build_steering(
    groups: pl.DataFrame,
    activations: pl.DataFrame,
    attribute_ids: Sequence[str],
    settings: SteeringSettings,
    run_seed: int,
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Unit vectors of all groups, methods and controls (STEERING), and the report on the weights.

    Controls: `random` (Gaussian direction), and for each method m `shuffled_m` (its weights dealt to attributes
    at random) and `other_group_m` (the vector of the next group by name that has one).

    Raises:
        InputError: an attribute's activation vanishes, or a sum does.
    """
    values = activation_tensor(activations, attribute_ids)
    norms = np.linalg.norm(values, axis=2, keepdims=True)
    weights = group_weights(groups, attribute_ids, settings)
    used = np.sum(list(weights.values()), axis=0) > 0
    bad = (norms[:, :, 0] < EPS) & used[:, None]
    if bad.any():
        attribute, layer = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"attribute {attribute_ids[attribute]!r}: its activation vanishes at layer {layer}, so it has no "
            "direction; take it out of the catalogue or set activations.contrast to raw"
        )
    unit = np.divide(values, norms, out=np.zeros_like(values), where=norms >= EPS)
    built = {key: combine(unit, w, f"group {key[0]!r}, method {key[1]}") for key, w in weights.items()}
    found = dict(built)
    names = sorted(groups["group"])
    for group in names:
        rng = np.random.default_rng(seed_of(run_seed, "steering", "random", group))
        noise = rng.standard_normal(values.shape[1:])
        found[group, "random"] = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    for (group, method), w in weights.items():
        rng = np.random.default_rng(seed_of(run_seed, "steering", "shuffled", group, method))
        name = f"shuffled_{method}"
        found[group, name] = combine(unit, rng.permutation(w), f"group {group!r}, method {name}")
        other = _next_group(group, [g for g in names if (g, method) in built])
        if other is not None:
            found[group, f"other_group_{method}"] = built[other, method]
    return _frame(found), steering_report(weights, built, attribute_ids)


def steering_report(
    weights: Weights, built: Mapping[tuple[str, str], np.ndarray], attribute_ids: Sequence[str]
) -> dict[str, Any]:
    """Effective numbers, ten heaviest attributes, and cosines between groups' vectors by method.

    A pair of groups whose mean cosine over layers exceeds 0.95 gets a warning: steering cannot tell them apart.
    """
    report: dict[str, Any] = {"groups": {}, "cosines": [], "warnings": []}
    for (group, method), w in sorted(weights.items()):
        order = sorted(range(len(w)), key=lambda a: (-w[a], attribute_ids[a]))[:10]
        report["groups"].setdefault(group, {})[method] = {
            "n_eff": effective_number(w),
            "heaviest": [{"attribute_id": attribute_ids[a], "weight": float(w[a])} for a in order if w[a] > 0],
        }
    keys = sorted(built)
    for i, (group, method) in enumerate(keys):
        for other, same in keys[i + 1 :]:
            if same == method and other != group:
                cosines = np.einsum("ld,ld->l", built[group, method], built[other, method])
                mean = float(cosines.mean())
                pair = {"method": method, "group": group, "other": other, "mean": mean}
                report["cosines"].append({**pair, "layers": [float(c) for c in cosines]})
                if mean > ALIKE:
                    report["warnings"].append(
                        f"{method}: the vectors of {group} and {other} have cosine {mean:.3f}; lower steering.n_eff"
                    )
    return report


def _next_group(group: str, names: Sequence[str]) -> str | None:
    others = [name for name in names if name != group]
    return next((name for name in others if name > group), others[0] if others else None)


def _frame(found: Mapping[tuple[str, str], np.ndarray]) -> pl.DataFrame:
    keys = sorted(found)
    layers = len(found[keys[0]])
    return pl.DataFrame(
        {
            "group": [group for group, _ in keys for _ in range(layers)],
            "method": [method for _, method in keys for _ in range(layers)],
            "layer": pl.Series(list(range(layers)) * len(keys), dtype=pl.Int32),
            "vector": vectors(np.concatenate([found[key] for key in keys]), "vector"),
        }
    )
