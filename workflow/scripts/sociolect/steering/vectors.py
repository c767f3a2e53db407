"""Group vectors of all methods, unit length at every block, and their controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.artifacts import vectors
from sociolect.common.seeds import seed_of
from sociolect.corpus.questions import next_group
from sociolect.steering.attribute_weights import Weights
from sociolect.steering.combining import differences, normalized
from sociolect.steering.material import Material
from sociolect.steering.methods import METHODS
from sociolect.steering.weights import effective_number

__all__ = ["built_vectors", "group_vectors", "steering_report", "steering_table"]

ALIKE = 0.95
Vectors = Mapping[tuple[str, str], np.ndarray]


def group_vectors(material: Material, name: str) -> dict[str, np.ndarray]:
    """Unit vectors [L, d] of the groups that this method can steer.

    Raises:
        InputError: a vector vanishes at a block.
    """
    found = METHODS[name].vectors(material)
    return {group: normalized(vector, f"group {group!r}, method {name}") for group, vector in sorted(found.items())}


def built_vectors(material: Material, methods: Sequence[str]) -> dict[tuple[str, str], np.ndarray]:
    """(group, method) -> unit vector [L, d]."""
    return {(group, name): v for name in methods for group, v in group_vectors(material, name).items()}


def controls(material: Material, built: Vectors, methods: Sequence[str], run_seed: int) -> dict[Any, np.ndarray]:
    """Vectors that mean nothing for their group: (group, name) -> [L, d].

    `random`: a Gaussian direction; `topic`: the difference of means of content words alone, which moves what a text is
    about; and for each method m `shuffled_m`, made of shuffled material, and `other_group_m`,
    the vector of the next group by name that has one.
    """
    found: dict[tuple[str, str], np.ndarray] = {}
    shape = material.unit.shape[1:]
    topics = differences(material.means("content"), material.groups)
    for group in material.groups:
        found[group, "topic"] = normalized(topics[group], f"group {group!r}, its topic")
        noise = np.random.default_rng(seed_of(run_seed, "steering", "random", group)).standard_normal(shape)
        found[group, "random"] = normalized(noise, "random direction")
    for name in methods:
        rng = np.random.default_rng(seed_of(run_seed, "steering", "shuffled", name))
        dealt = group_vectors(material.shuffled(rng), name)
        own = [group for group in material.groups if (group, name) in built]
        for group in own:
            found[group, f"shuffled_{name}"] = dealt[group]
            other = next_group(group, own)
            if other is not None:
                found[group, f"other_group_{name}"] = built[other, name]
    return found


def steering_table(
    material: Material, methods: Sequence[str], run_seed: int
) -> tuple[pl.DataFrame, dict[tuple[str, str], np.ndarray]]:
    """STEERING of all groups, methods and controls; and the methods' vectors alone.

    Raises:
        InputError: an attribute has no direction, or what a vector is made of cancels out.
    """
    built = built_vectors(material, methods)
    found = built | controls(material, built, methods, run_seed)
    average = material.means("answers").mean(axis=0)
    keys = sorted(found)
    layers = len(found[keys[0]])
    floors = [np.einsum("ld,ld->l", average, found[key]) for key in keys]
    frame = pl.DataFrame(
        {
            "group": [group for group, _ in keys for _ in range(layers)],
            "method": [method for _, method in keys for _ in range(layers)],
            "layer": pl.Series(list(range(layers)) * len(keys), dtype=pl.Int32),
            "vector": vectors(np.concatenate([found[key] for key in keys]), "vector"),
            "floor": np.concatenate(floors),
        }
    )
    return frame, built


def steering_report(weights: Weights, built: Vectors, attribute_ids: Sequence[str]) -> dict[str, Any]:
    """Effective numbers and ten heaviest attributes of each set, and cosines between groups' vectors by method.

    A pair of groups whose mean cosine over layers exceeds 0.95 gets a warning: steering cannot tell them apart.
    """
    report: dict[str, Any] = {"groups": {}, "cosines": [], "warnings": []}
    for name, by_group in sorted(weights.items()):
        for group, w in sorted(by_group.items()):
            order = sorted(range(len(w)), key=lambda a, w=w: (-w[a], attribute_ids[a]))[:10]  # type: ignore[misc]
            report["groups"].setdefault(group, {})[name] = {
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
                        f"{method}: the vectors of {group} and {other} have cosine {mean:.3f}; steering cannot tell "
                        "them apart (for weighted attributes lower steering.n_eff)"
                    )
    return report
