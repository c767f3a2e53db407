"""Triplets of a batch, their loss, and group-balanced batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pytorch_metric_learning.distances import BaseDistance, CosineSimilarity, LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss

from sociolect.common.errors import InputError
from sociolect.embedding.net import Distance

__all__ = [
    "Identities",
    "Miner",
    "balanced_batches",
    "find_triplets",
    "metric",
    "pairs_allowed",
    "split_roles",
    "triplet_loss",
]

Miner = Literal["all", "semihard", "hard"]
Triplets = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Identities:
    """Group, author and question of each answer as integers [n]; an unknown author is a number of its own."""

    group: torch.Tensor
    author: torch.Tensor
    question: torch.Tensor

    def __getitem__(self, index: torch.Tensor) -> Identities:
        return Identities(self.group[index], self.author[index], self.question[index])


def metric(distance: Distance) -> BaseDistance:
    """pytorch-metric-learning's distance object.

    LpDistance normalizes embeddings unless told otherwise, which would make the Euclidean distance rank exactly
    as the cosine (d^2 = 2 - 2 cos).
    """
    if distance == "euclidean":
        return LpDistance(normalize_embeddings=False)
    if distance == "cosine":
        return CosineSimilarity()
    raise InputError(f"unknown distance {distance!r}; use euclidean or cosine")


def pairs_allowed(who: Identities, is_anchor: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Which answers may be positives, and which negatives, of which anchors: two bool matrices [anchor n, other n].

    A positive is of the anchor's group, but shares neither author nor question with it; a negative is of another
    group. With `is_anchor` [n] only these are anchors, and only the others positives or negatives.
    """
    same = who.group[:, None] == who.group[None, :]
    positive = same & (who.author[:, None] != who.author[None, :]) & (who.question[:, None] != who.question[None, :])
    negative = ~same
    if is_anchor is not None:
        roles = is_anchor[:, None] & ~is_anchor[None, :]
        positive, negative = positive & roles, negative & roles
    return positive, negative


def find_triplets(
    embeddings: torch.Tensor,
    who: Identities,
    distance: Distance,
    margin: float,
    miner: Miner = "all",
    is_anchor: torch.Tensor | None = None,
    positives: int | None = None,
    generator: torch.Generator | None = None,
) -> Triplets:
    """Indices (anchor, positive, negative) of a batch's triplets.

    Positives and negatives are those of `pairs_allowed`. The miner keeps those with loss (`all`), those whose negative
    is also farther than the positive (`semihard`), or those whose negative is nearer (`hard`): the meaning of
    pytorch-metric-learning's TripletMarginMiner, which cannot take the rule about authors and questions, nor fewer
    positives than all.

    Args:
        embeddings: [n, D].
        who: identities of the batch.
        margin: in units of the distance.
        is_anchor: bool [n] for disjoint roles: only these are anchors, only the others positives or negatives.
        positives: draw at most this many positives per anchor, with `generator`; None takes all.
    """
    n = len(who.group)
    allowed, different = pairs_allowed(who, is_anchor)
    if positives is not None and positives < n:
        ranks = torch.rand((n, n), generator=generator).masked_fill(~allowed, 2.0)
        drawn = torch.zeros_like(allowed)
        drawn.scatter_(1, ranks.topk(positives, dim=1, largest=False).indices, True)
        allowed = allowed & drawn
    anchor, positive = allowed.nonzero(as_tuple=True)
    with torch.no_grad():
        matrix = metric(distance)(embeddings)
        near = matrix[anchor, positive][:, None]
        far = matrix[anchor]
        gap = near - far if distance == "cosine" else far - near  # > 0: the negative is farther
        keep = different[anchor] & (gap <= margin)
        if miner == "semihard":
            keep &= gap > 0
        elif miner == "hard":
            keep &= gap <= 0
    pair, negative = keep.nonzero(as_tuple=True)
    return anchor[pair], positive[pair], negative


def triplet_loss(
    embeddings: torch.Tensor, who: Identities, triplets: Triplets, distance: Distance, margin: float
) -> torch.Tensor:
    """Mean of max(0, d(a, p) - d(a, n) + margin) over triplets with loss, by pytorch-metric-learning."""
    loss: torch.Tensor = TripletMarginLoss(margin=margin, distance=metric(distance))(
        embeddings, who.group, indices_tuple=triplets
    )
    return loss


def split_roles(group: np.ndarray, seed: int) -> np.ndarray:
    """bool [n]: n // 2 anchors, as equal as can be within each group; the rest are positives and negatives."""
    shuffled = np.random.default_rng(seed).permutation(len(group))
    ordered = shuffled[np.argsort(group[shuffled], kind="stable")]
    anchors = np.zeros(len(group), dtype=bool)
    anchors[ordered[1::2]] = True
    return anchors


def balanced_batches(group: np.ndarray, batch_size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """One epoch of index batches with equally many answers of each stratum (group, or group and role).

    Each stratum is gone through in a fresh order; smaller strata start again until the epoch ends, which is when
    as many answers were seen as there are.
    """
    names = np.unique(group)
    per_group = max(2, batch_size // len(names))
    steps = max(1, round(len(group) / (per_group * len(names))))
    streams = []
    for name in names:
        members = np.flatnonzero(group == name)
        rounds = -(-steps * per_group // len(members))
        streams.append(np.concatenate([rng.permutation(members) for _ in range(rounds)]))
    for step in range(steps):
        window = slice(step * per_group, (step + 1) * per_group)
        yield np.concatenate([stream[window] for stream in streams])
