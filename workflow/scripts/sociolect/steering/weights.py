"""Softmax weights over style attributes, with the temperature calibrated to an effective number.

A softmax with T = 1 over scores in [0, 1] is nearly uniform, so that the vectors of all groups would be alike;
T is therefore set so that 1 / sum w^2 reaches a wanted number of attributes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sociolect.common.errors import InputError

__all__ = ["calibrate_temperature", "effective_number", "selection_mask", "softmax_weights", "transform_profile"]

_DECADES = 9.0  # bisection range of log10(T / spread of x), in both directions


def transform_profile(x: np.ndarray, transform: str) -> np.ndarray:
    """Group profiles [G, K] as they go into the softmax.

    Args:
        x: statistic of each group and attribute.
        transform: `raw`; `centred` (minus the mean over groups); or `z` (that over the standard deviation over
            groups, 0 where all groups are equal).

    Raises:
        InputError: unknown transform, or a value that is not finite.
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise InputError("group profiles must be a finite matrix [groups, attributes]")
    if transform == "raw":
        return x.copy()
    centered = x - x.mean(axis=0)
    # rounding of the mean must not look like a difference between groups
    centered[np.broadcast_to(np.ptp(x, axis=0) == 0, x.shape)] = 0.0
    if transform == "centred":
        return centered
    if transform == "z":
        scale = x.std(axis=0)
        return np.divide(centered, scale, out=np.zeros_like(centered), where=(scale > 0) & (np.ptp(x, axis=0) > 0))
    raise InputError(f"unknown transform {transform!r}; use raw, centred or z")


def selection_mask(attribute_ids: Sequence[str], selected: Sequence[str]) -> np.ndarray:
    """Which of the attributes are in the selected set (such as a group's distinctive ones), bool [K].

    Raises:
        InputError: a selected attribute is not in the catalogue.
    """
    unknown = sorted(set(selected) - set(attribute_ids))
    if unknown:
        raise InputError(f"selected attribute {unknown[0]!r} is not in the catalogue; profile and catalogue differ")
    chosen = set(selected)
    return np.array([a in chosen for a in attribute_ids], dtype=bool)


def softmax_weights(x: np.ndarray, temperature: float, mask: np.ndarray | None = None) -> np.ndarray:
    """softmax(x / T) [K] over the attributes of the mask; 0 outside it.

    Raises:
        InputError: the mask is empty, T is not positive, or a value is not finite.
    """
    x = np.asarray(x, dtype=np.float64)
    members = _members(x, mask)
    if not temperature > 0:
        raise InputError(f"the softmax temperature must be positive, not {temperature}")
    scaled = np.exp((x[members] - x[members].max()) / temperature)
    weights = np.zeros_like(x)
    weights[members] = scaled / scaled.sum()
    return weights


def effective_number(w: np.ndarray) -> float:
    """N_eff = 1 / sum w^2 of weights that sum to 1: K when uniform, 1 when a single attribute has all weight."""
    w = np.asarray(w, dtype=np.float64)
    return float(1.0 / np.square(w).sum())


def calibrate_temperature(x: np.ndarray, target: float, mask: np.ndarray | None = None) -> float:
    """The temperature at which `softmax_weights` has the wanted effective number, by bisection on log T.

    N_eff rises with T from the number of attributes tied at the top to the number in the mask; a target outside
    gets the nearest end (a very small or very large T).

    Raises:
        InputError: the mask is empty, the target is below 1, or a value is not finite.
    """
    x = np.asarray(x, dtype=np.float64)
    members = _members(x, mask)
    if not target >= 1:
        raise InputError(f"the effective number must be at least 1, not {target}")
    spread = float(np.ptp(x[members]))
    if spread == 0:
        return 1.0
    low, high = math.log10(spread) - _DECADES, math.log10(spread) + _DECADES
    if target >= int(members.sum()):
        return float(10**high)
    for _ in range(100):
        middle = (low + high) / 2
        if effective_number(softmax_weights(x, 10**middle, members)) < target:
            low = middle
        else:
            high = middle
    return float(10 ** ((low + high) / 2))


def _members(x: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    members = np.ones(x.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    if x.ndim != 1 or members.shape != x.shape:
        raise InputError(f"scores {x.shape} and mask {members.shape} must both be [attributes]")
    if not members.any():
        raise InputError("no attribute is selected, so there is nothing to weight")
    if not np.isfinite(x[members]).all():
        raise InputError("a score that goes into the softmax is not finite")
    return members
