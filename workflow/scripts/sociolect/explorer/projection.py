"""A map of embeddings: two of their directions, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sociolect.embedding.net import Distance, distance_matrix, nearest_index

__all__ = ["Projection", "project"]


@dataclass(frozen=True)
class Projection:
    """Places on the map, and how far it can be trusted.

    Attributes:
        texts: [n, 2]; groups: [G, 2].
        variance: share of the texts' variance that the two directions hold, in [0, 1].
        agreement: share of the texts that are nearest to the same group on the map as in all directions.
    """

    texts: np.ndarray
    groups: np.ndarray
    variance: float
    agreement: float


def project(texts: np.ndarray, groups: np.ndarray, distance: Distance) -> Projection:
    """The two directions in which the texts vary most (principal components), the same for groups.

    Nothing is drawn, and the sign is fixed: the largest loading of a direction is positive. Where embeddings are
    compared by their angle, they are of length 1 on the map.

    Args:
        texts: embeddings [n, D], n > 0; groups: group embeddings [G, D].
        distance: that of the net.
    """
    points, centers = (_compared(np.asarray(x, dtype=np.float64), distance) for x in (texts, groups))
    middle = points.mean(axis=0)
    _, _, directions = np.linalg.svd(points - middle, full_matrices=False)
    directions = directions[:2]
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    # of embeddings of one number, or of one text, the second is 0
    shown = [_two_columns((x - middle) @ directions.T) for x in (points, centers)]
    whole = float(np.square(points - middle).sum())
    near = nearest_index(distance_matrix(shown[0], shown[1], "euclidean"))
    true = nearest_index(distance_matrix(texts, groups, distance))
    return Projection(
        texts=shown[0],
        groups=shown[1],
        variance=float(np.square(shown[0]).sum()) / whole if whole > 0 else 1.0,
        agreement=float((near == true).mean()),
    )


def _compared(x: np.ndarray, distance: Distance) -> np.ndarray:
    if distance == "euclidean":
        return x
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)


def _two_columns(x: np.ndarray) -> np.ndarray:
    return np.pad(x, ((0, 0), (0, 2 - x.shape[1])))
