"""The three metrics of the comparison, on arrays, in float64.

One generation y for target t is compared with a reference text r: e0 = f(style(r)), e1 = f(style(y)), and
NN = nearest group embedding under the trained distance. Groups are given in the order of their ids, so that
"smallest id" is "first column".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sociolect.common.errors import InputError
from sociolect.embedding.net import Distance, distance_matrix

__all__ = ["Changes", "Directions", "group_changes", "group_directions", "nearest_groups", "require_finite"]


@dataclass(frozen=True)
class Changes:
    """Metrics 1 and 2 of n generations; all arrays are [n].

    Attributes:
        nearest: NN(e1), index of a group; NN(e0) where nothing was generated.
        reference: NN(e0).
        tie: more than one group was nearest to e1.
        zero: e1 equals e0.
        changed: metric 1, NN(e1) != NN(e0).
        to_target: metric 2, NN(e0) != t and NN(e1) = t.
        eligible: NN(e0) != t.
        lost: NN(e0) = t and NN(e1) != t.
        hit: NN(e1) = t.
    """

    nearest: np.ndarray
    reference: np.ndarray
    tie: np.ndarray
    zero: np.ndarray
    changed: np.ndarray
    to_target: np.ndarray
    eligible: np.ndarray
    lost: np.ndarray
    hit: np.ndarray


@dataclass(frozen=True)
class Directions:
    """Metric 3 of n generations; all arrays are [n], NaN where there is no direction.

    Attributes:
        distance: 1 - cos(e1 - e0, c[t]), what the table shows. The only one that depends on the origin.
        centered: cos(e1 - e0, c[t] - mean c).
        to_target: cos(e1 - e0, c[t] - e0).
        rank: rank of t among all groups by the centered cosine, 1 is best; ties get the better rank.
    """

    distance: np.ndarray
    centered: np.ndarray
    to_target: np.ndarray
    rank: np.ndarray


def require_finite(values: np.ndarray, what: str, ids: Sequence[str] | None = None) -> None:
    """Refuse NaN and infinity.

    Raises:
        InputError: naming `what` and the first bad row (its id, if ids are given).
    """
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        row = int(bad.argmax())
        name = f"{ids[row]!r}" if ids is not None else f"row {row}"
        raise InputError(f"{what} of {name} is not finite; label it again")


def nearest_groups(
    embeddings: np.ndarray,
    centers: np.ndarray,
    distance: Distance,
    tolerance: float = 1e-9,
    keep: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest group of each embedding, and whether more than one was nearest.

    Args:
        embeddings: [n, D].
        centers: group embeddings [G, D], in the order of the group ids.
        distance: the distance that the net was trained for.
        tolerance: distances this close to the smallest one are tied.
        keep: group that wins a tie it takes part in [n], the reference's; else the smallest id wins.

    Returns:
        Index of a group [n], and tie [n].

    Raises:
        InputError: an embedding or a group embedding is not finite, or there is no group.
    """
    embeddings, centers = np.asarray(embeddings, dtype=np.float64), np.asarray(centers, dtype=np.float64)
    if len(centers) == 0:
        raise InputError("there is no group embedding; the nearest group needs at least one")
    require_finite(embeddings, "embedding")
    require_finite(centers, "group embedding")
    distances = distance_matrix(embeddings, centers, distance)
    tied = distances <= distances.min(axis=1, keepdims=True) + tolerance
    nearest = tied.argmax(axis=1)
    if keep is not None:
        nearest = np.where(tied[np.arange(len(tied)), keep], keep, nearest)
    return nearest, tied.sum(axis=1) > 1


def group_changes(
    before: np.ndarray,
    after: np.ndarray,
    centers: np.ndarray,
    target: np.ndarray,
    distance: Distance,
    tolerance: float = 1e-9,
    empty: np.ndarray | None = None,
    empty_before: np.ndarray | None = None,
) -> Changes:
    """Metrics 1 and 2.

    A tie keeps the reference's group if that is among the tied, else the smallest id. A zero difference counts as
    no change. An empty generation is no change and no hit, in whatever group the empty text would lie. An empty
    reference is no text that could change: such a pair is no change and not eligible; only the hit is taken.

    Args:
        before: e0 [n, D]; after: e1 [n, D]; centers: c [G, D].
        target: index of t [n].
        empty: nothing was generated [n]; empty_before: the same for the reference.

    Raises:
        InputError: something is not finite.
    """
    before, after = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    none = np.zeros(len(after), dtype=bool)
    empty = none if empty is None else empty
    empty_before = none if empty_before is None else empty_before
    reference, _ = nearest_groups(before, centers, distance, tolerance)
    nearest, tie = nearest_groups(after, centers, distance, tolerance, keep=reference)
    zero = np.linalg.norm(after - before, axis=1) <= tolerance
    nearest = np.where(zero | empty, reference, nearest)
    moved = (nearest != reference) & ~empty_before
    return Changes(
        nearest=nearest,
        reference=reference,
        tie=tie & ~empty,
        zero=zero,
        changed=moved,
        to_target=moved & (nearest == target),
        eligible=(reference != target) & ~empty_before,
        lost=moved & (reference == target),
        hit=(nearest == target) & ~empty,
    )


def group_directions(
    before: np.ndarray,
    after: np.ndarray,
    centers: np.ndarray,
    target: np.ndarray,
    tolerance: float = 1e-9,
    without: np.ndarray | None = None,
) -> Directions:
    """Metric 3, 1 - cos, and its variants.

    No direction (NaN): e1 equals e0, the row is in `without` (an empty text), or the other vector of the cosine
    is zero.

    Args:
        before: e0 [n, D]; after: e1 [n, D]; centers: c [G, D].
        target: index of t [n].
        without: rows that are left out [n].

    Raises:
        InputError: something is not finite.
    """
    before, after = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    centers = np.asarray(centers, dtype=np.float64)
    for values, what in ((before, "reference embedding"), (after, "embedding"), (centers, "group embedding")):
        require_finite(values, what)
    step = after - before
    step[np.linalg.norm(step, axis=1) <= tolerance] = 0.0
    if without is not None:
        step[without] = 0.0
    spread = centers - centers.mean(axis=0)
    to_all = np.stack([_cosine(step, np.broadcast_to(c, step.shape), tolerance) for c in spread], axis=1)
    own = to_all[np.arange(len(step)), target]
    # a group at the mean of all groups has no direction of its own and cannot outrank anybody
    better = np.nan_to_num(to_all, nan=-np.inf) > own[:, None] + tolerance
    return Directions(
        distance=1.0 - _cosine(step, centers[target], tolerance),
        centered=own,
        to_target=_cosine(step, centers[target] - before, tolerance),
        rank=np.where(np.isnan(own), np.nan, 1.0 + better.sum(axis=1)),
    )


def _cosine(a: np.ndarray, b: np.ndarray, tolerance: float) -> np.ndarray:
    """Cosine of the rows of a and b [n, D]; NaN where one of them is zero."""
    norms = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    there = (norms[0] > tolerance) & (norms[1] > tolerance)
    product = np.where(there, norms[0] * norms[1], 1.0)
    return np.where(there, np.clip((a * b).sum(axis=1) / product, -1.0, 1.0), np.nan)
