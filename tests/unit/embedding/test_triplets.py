"""Triplets against pytorch-metric-learning, roles, and batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.miners import TripletMarginMiner

from sociolect.embedding.net import distance_matrix
from sociolect.embedding.triplets import Identities, balanced_batches, find_triplets, metric, split_roles


def who(n: int, n_groups: int = 3, seed: int = 0) -> Identities:
    rng = np.random.default_rng(seed)
    return Identities(*(torch.tensor(rng.integers(0, size, n)) for size in (n_groups, n // 2, n // 2)))


def test_euclidean_is_not_the_normalized_one_that_ranks_as_cosine() -> None:
    a = torch.tensor([[1.0, 0.0], [0.9, 0.1], [5.0, 0.0]])
    euclidean, cosine, trap = metric("euclidean")(a), metric("cosine")(a), LpDistance()(a)
    assert euclidean[0, 1] < euclidean[0, 2] and cosine[0, 1] < cosine[0, 2]  # similarity: larger is nearer
    assert trap[0, 1] > trap[0, 2]
    assert torch.allclose(trap**2, 2 - 2 * cosine, atol=1e-5)
    assert float(euclidean[0, 2]) == pytest.approx(4.0)
    ours = distance_matrix(a.numpy(), a.numpy(), "cosine")
    assert np.allclose(ours, 1 - cosine.numpy(), atol=1e-6)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("miner", ["all", "semihard", "hard"])
def test_triplets_are_the_librarys_less_those_that_share_author_or_question(distance: Any, miner: Any) -> None:
    generator = torch.Generator().manual_seed(1)
    out, people = torch.randn((24, 3), generator=generator), who(24)
    library = TripletMarginMiner(margin=0.3, distance=metric(distance), type_of_triplets=miner)(out, people.group)
    theirs = set(zip(*(t.tolist() for t in library), strict=True))
    ours = list(zip(*(t.tolist() for t in find_triplets(out, people, distance, 0.3, miner)), strict=True))
    allowed = {
        (a, p, n)
        for a, p, n in theirs
        if people.author[a] != people.author[p] and people.question[a] != people.question[p]
    }
    assert len(ours) == len(set(ours)) and set(ours) == allowed
    assert 0 < len(allowed) < len(theirs)


def test_drawn_positives_are_allowed_ones_and_at_most_as_many() -> None:
    people, out = who(30), torch.randn((30, 3), generator=torch.Generator().manual_seed(2))
    every = find_triplets(out, people, "euclidean", 1e9)
    some = find_triplets(out, people, "euclidean", 1e9, positives=2, generator=torch.Generator().manual_seed(3))
    pairs = set(zip(some[0].tolist(), some[1].tolist(), strict=True))
    assert pairs < set(zip(every[0].tolist(), every[1].tolist(), strict=True))
    assert max(np.bincount([a for a, _ in pairs])) == 2


def test_disjoint_roles_never_overlap_and_halve_the_anchors() -> None:
    group = np.repeat([0, 1, 2], [11, 20, 10])
    anchors = split_roles(group, seed=5)
    assert anchors.sum() == 41 // 2
    assert all(abs(2 * anchors[group == g].sum() - (group == g).sum()) <= 1 for g in range(3))
    people = Identities(torch.from_numpy(group), torch.arange(41), torch.arange(41))
    out = torch.randn((41, 3), generator=torch.Generator().manual_seed(0))
    a, p, n = find_triplets(out, people, "euclidean", 1e9, is_anchor=torch.from_numpy(anchors))
    assert set(a.tolist()) == set(np.flatnonzero(anchors).tolist())
    assert not set(a.tolist()) & (set(p.tolist()) | set(n.tolist()))


def test_batches_hold_equally_many_of_each_group() -> None:
    group = np.repeat([0, 1, 2], [100, 10, 40])
    batches = list(balanced_batches(group, 30, np.random.default_rng(0)))
    assert len(batches) == 5
    assert all(np.bincount(group[b]).tolist() == [10, 10, 10] for b in batches)
    seen = np.concatenate(batches)
    assert set(group[np.unique(seen)]) == {0, 1, 2} and {0, 1} <= set(np.bincount(seen)[:100])
