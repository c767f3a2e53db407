"""Attributes that steering gave a group's texts, and whether they are those that were meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.generation.conditions import STEERED

__all__ = ["share_meant", "top_gained"]


def top_gained(
    scores: pl.DataFrame, names: Sequence[str], k: int = 5, condition: str = STEERED
) -> dict[str, list[str]]:
    """The k attributes whose mean score rose most against row 1, by target group; own targets.

    Args:
        scores: SCORES.
        names: attributes in the order of style vectors.
        k: how many; those that did not rise are left out.
        condition: the row that is looked at.
    """
    style = dict(zip(scores["request_id"], matrix(scores["style"]), strict=True))
    own = scores.filter((pl.col("condition") == condition) & (pl.col("target") == pl.col("question_group")))
    found = {}
    for (group,), rows in own.group_by("target"):
        pairs = rows.select("request_id", "reference_id").iter_rows()
        change = np.mean([style[after] - style[before] for after, before in pairs], axis=0)
        order = np.argsort(-change, kind="stable")[:k]
        found[str(group)] = [names[a] for a in order if change[a] > 0]
    return dict(sorted(found.items()))


def share_meant(gained: Mapping[str, Sequence[str]], meant: Mapping[str, Collection[str]], k: int = 5) -> float | None:
    """Mean over groups of the share of the gained attributes that were meant; of k, or of as many as were meant.

    Groups for which nothing was meant are left out; None where there are none.
    """
    shares = [
        sum(name in meant[group] for name in own) / min(k, len(meant[group]))
        for group, own in gained.items()
        if meant.get(group)
    ]
    return float(np.mean(shares)) if shares else None
