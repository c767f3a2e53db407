"""Arithmetic that methods share: weighted sums of unit vectors, differences between groups, projections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sociolect.common.errors import InputError
from sociolect.steering.material import EPS, Material

__all__ = ["differences", "normalized", "weighted_sums", "without_directions"]


def weighted_sums(material: Material, name: str) -> dict[str, np.ndarray]:
    """Of each group that has weights on this set of attributes, sum_a w[g, a] u[a, l] / |u[a, l]|: [L, d]."""
    return {group: np.einsum("k,kld->ld", w, material.unit) for group, w in material.weights[name].items()}


def differences(means: np.ndarray, groups: Sequence[str]) -> dict[str, np.ndarray]:
    """Each group's mean minus the mean of the other groups' [L, d].

    Args:
        means: [G, L, d].
        groups: names, in the same order.
    """
    others = (means.sum(axis=0) - means) / (len(means) - 1)
    return dict(zip(groups, means - others, strict=True))


def without_directions(vectors: Mapping[str, np.ndarray], directions: np.ndarray) -> dict[str, np.ndarray]:
    """Vectors [L, d] less their projection on what the directions span at each block.

    Args:
        vectors: by group.
        directions: [n, L, d], of any length; those that vanish span nothing.
    """
    left = {group: vector.copy() for group, vector in vectors.items()}
    for layer in range(directions.shape[1]):
        _, sizes, basis = np.linalg.svd(directions[:, layer], full_matrices=False)
        basis = basis[sizes > EPS * max(float(sizes.max(initial=0.0)), EPS)]
        for vector in left.values():
            vector[layer] -= basis.T @ (basis @ vector[layer])
    return left


def normalized(vector: np.ndarray, what: str) -> np.ndarray:
    """Unit length at each block [L, d].

    Raises:
        InputError: nothing is left at a block, so that there is no direction; names `what`.
    """
    norms = np.linalg.norm(vector, axis=1)
    if norms.min() < EPS:
        raise InputError(
            f"{what}: the vectors that it is made of cancel out at layer {int(norms.argmin())}; for weighted "
            "attributes lower steering.n_eff or set activations.contrast to neutral, else leave the method out of "
            "steering.methods"
        )
    return np.asarray(vector / norms[:, None])
