"""Spreading whole units over train, val and test, near the shares of each group and so that no part stays empty."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from sociolect.common.seeds import seed_of, stable_hash

__all__ = ["PARTS", "none_empty", "spread", "stable_order"]

PARTS = ("train", "val", "test")


def stable_order(seed: int, names: Sequence[str]) -> np.ndarray:
    """Ranks [n] of the names in an order that depends on the seed and on each name alone, the same everywhere."""
    order = sorted(range(len(names)), key=lambda i: (stable_hash(seed, names[i]), names[i]))
    ranks = np.empty(len(names), dtype=np.int64)
    ranks[order] = np.arange(len(names))
    return ranks


def spread(
    rows: pl.DataFrame,
    questions: list[str],
    load: np.ndarray,
    totals: np.ndarray,
    portions: np.ndarray,
    seed: int,
) -> dict[int, int]:
    """Part of each whole component: the largest first, each to the part that is then filled least for its share.

    Dividing by the share keeps the parts in proportion at every size; the largest gap to the share would send
    all large components to train.
    """
    sums = rows.group_by("component", "cell").agg(pl.col("weight").sum()).sort("component", "cell")
    component, cell = sums["component"].to_numpy(), sums["cell"].to_numpy()
    weight = sums["weight"].to_numpy() / totals[cell]
    starts = np.flatnonzero(np.diff(component, prepend=-1))
    if not len(starts):
        return {}
    largest = np.maximum.reduceat(weight, starts)
    ties = stable_order(seed_of(seed, "components"), [questions[component[i]] for i in starts])
    filled: list[list[float]] = (load / totals[:, None]).tolist()
    bounds = [*starts.tolist(), len(component)]
    spans = list(pairwise(bounds))
    cells, weights, shares = cell.tolist(), weight.tolist(), portions.tolist()
    parts: dict[int, int] = {}
    for i in np.lexsort((ties, -largest)).tolist():
        span = range(*spans[i])
        fullness = [
            sum(weights[j] * (filled[cells[j]][p] + weights[j]) for j in span) / share for p, share in enumerate(shares)
        ]
        part = fullness.index(min(fullness))
        parts[int(component[bounds[i]])] = part
        for j in span:
            filled[cells[j]][part] += weights[j]
    unit = np.repeat(np.arange(len(spans)), [end - start for start, end in spans])
    chosen = np.array([parts[int(component[start])] for start, _ in spans])
    wanting = np.ones(len(totals), dtype=bool)
    settled = none_empty(chosen, unit, cell, weight, (load > 0).astype(np.int64), wanting, ties)
    return {int(component[start]): int(part) for (start, _), part in zip(spans, settled, strict=True)}


def none_empty(
    part: np.ndarray,
    unit: np.ndarray,
    cell: np.ndarray,
    weight: np.ndarray,
    held: np.ndarray,
    wanting: np.ndarray,
    ties: np.ndarray,
) -> np.ndarray:
    """Parts of units in which, where that can be, none is empty: with five equal authors 3, 1 and 1, not 4, 1 and none.

    A unit moves to a part that is empty in a cell from one that no cell has it alone in: the lightest, which disturbs
    the shares least.

    Args:
        part: of each unit.
        unit, cell, weight: a unit's share of a cell; one row each.
        held: what else the parts of a cell have [cells, 3].
        wanting: whether a cell's empty parts are to be filled.
        ties: order among equally light units.
    """
    part, count = part.copy(), held.copy()
    np.add.at(count, (cell, part[unit]), 1)
    heaviest = np.zeros(len(part))
    np.maximum.at(heaviest, unit, weight)
    # each move fills a part and empties none
    for here, empty in np.argwhere((count == 0) & wanting[:, None]).tolist():
        if count[here, empty]:
            continue
        spare = np.ones(len(part), dtype=bool)
        np.logical_and.at(spare, unit, count[cell, part[unit]] > 1)
        movable = unit[(cell == here) & spare[unit]]
        if not len(movable):
            continue
        fullest = count[here, part[movable]]
        moved = movable[np.lexsort((ties[movable], -fullest, heaviest[movable]))[0]]
        rows = cell[unit == moved]
        count[rows, part[moved]] -= 1
        count[rows, empty] += 1
        part[moved] = empty
    return part
