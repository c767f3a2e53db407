"""The comparison by judge, of all groups and of each group by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from sociolect.common.schemas import BY_JUDGE, CEILINGS
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.by_judge import by_judge, seen_by_all
from sociolect.evaluation.comparison import of_all_groups
from sociolect.generation.conditions import STEERED

__all__ = ["FIGURES", "by_group", "compact", "effects"]

# of a row of the page's tables, behind the condition
FIGURES = (
    *("n", "rate", "rate_low", "rate_high", "gain", "gain_low", "gain_high"),
    *("stay", "stay_gain", "stay_gain_low", "stay_gain_high"),
)


def by_group(
    table: pl.DataFrame, scores: pl.DataFrame, judged: pl.DataFrame, bootstrap: Callable[[Sequence[str], str], Any]
) -> dict[str, pl.DataFrame]:
    """Target group -> BY_JUDGE of the texts that aim at it alone.

    Args:
        table: BY_JUDGE of all groups.
        scores: SCORES; judged: JUDGED.
        bootstrap: makes the ClusterBootstrap of these questions, for this group.
    """
    known = table.unique("judge", maintain_order=True).drop_nulls("ceiling")
    nothing = dict.fromkeys(CEILINGS.columns)
    ceilings = CEILINGS.frame(
        [nothing | {"judge": judge, "macro": value} for judge, value in known.select("judge", "ceiling").iter_rows()]
    )
    seen = seen_by_all(of_all_groups(scores.sort("request_id")), judged)
    found: dict[str, pl.DataFrame] = {}
    for (group,), frame in sorted(seen.group_by("target")):
        resamples: ClusterBootstrap = bootstrap(frame["question_id"].to_list(), str(group))
        found[str(group)] = by_judge(frame, ceilings, resamples)
    return found


def effects(tables: dict[str, pl.DataFrame]) -> dict[str, float | None]:
    """Target group -> mean over judges of style of what `steered` gains against row 1, own targets; None where there is
    nothing to compare."""
    wanted = (pl.col("sees") == "style") & (pl.col("targets") == "own") & (pl.col("condition") == STEERED)
    found = {group: table.filter(wanted)["gain"].mean() for group, table in tables.items()}
    return {group: None if gain is None else float(gain) for group, gain in found.items()}  # type: ignore[arg-type]


def compact(table: pl.DataFrame, conditions: dict[str, int], judges: dict[str, int]) -> dict[str, list[list[Any]]]:
    """A table for the page: targets -> rows of judge, condition and FIGURES, as numbers.

    Args:
        table: BY_JUDGE.
        conditions: condition -> its number; judges: judge -> its number.
    """
    found: dict[str, list[list[Any]]] = {}
    for row in BY_JUDGE.frame(table.to_dicts()).iter_rows(named=True):
        figures = [None if row[name] is None else round(row[name], 4) for name in FIGURES]
        found.setdefault(row["targets"], []).append([judges[row["judge"]], conditions[row["condition"]], *figures])
    return found
