"""What did not go as it should, in one sentence: it is looked for whatever was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from sociolect.report.run_tables import ExperimentTables, RunTables, some

__all__ = ["failures_of"]

_NAMED = 4
# the default of sfam.min_auroc
_KNOWS = 0.75


def failures_of(run: RunTables, e: ExperimentTables) -> str:
    """All that failed, or that nothing did of what is looked at.

    Args:
        run: tables of the run; e: tables of the experiment.
    """
    found = [*_choice(e.choice), *_groups(e), *_judges(e.ceilings), *_style_model(run.metrics), *_texts(e.comparison)]
    if not found:
        return (
            "Nothing of what is looked at: choice of strength, guards, groups alike, judges' ceilings, style model, "
            "empty texts."
        )
    said = "; ".join(found)
    return f"{said[0].upper()}{said[1:]}."


def _choice(choice: dict[str, Any] | None) -> list[str]:
    if not choice:
        return []
    found = []
    if not choice.get("fluent", True):
        found.append("on val it was best not to steer, so steered rows are the unsteered ones with strength 0")
    outside = [name for name, entry in choice.get("methods", {}).items() if not entry["inside"]]
    if outside:
        found.append(f"by {_named(outside)} no setting inside both guards gained on val")
    return found


def _groups(e: ExperimentTables) -> list[str]:
    found = []
    if some(e.distances):
        pairs = e.distances.filter("alike").select("group", "other").iter_rows()
        alike = sorted({" and ".join(sorted(pair)) for pair in pairs})
        if alike:
            found.append(f"hardly told apart on val (profiles.alike_below): {_named(alike)}")
    if some(e.groups):
        plain = e.groups.filter(pl.col("distinctive").list.len() == 0)["group"].sort().to_list()
        if plain:
            found.append(f"no attribute of its own: {_named(plain)}")
    return found


def _judges(ceilings: pl.DataFrame | None) -> list[str]:
    if not some(ceilings):
        return []
    whole = ceilings.filter(pl.col("group").is_null(), pl.col("sees") == "style")
    blind = whole.filter(pl.col("low").is_null() | (pl.col("low") <= pl.col("chance")))["judge"].to_list()
    return [f"not shown to know even human answers of this length: judge {_named(blind)}"] if blind else []


def _style_model(metrics: dict[str, Any] | None) -> list[str]:
    unseen = ((metrics or {}).get("held_out_attributes") or {}).get("all") or {}
    auroc = unseen.get("auroc")
    if auroc is None or auroc >= _KNOWS:
        return []
    return [f"SFAM hardly knows attributes that it was not trained on (AUROC {auroc:.2f})"]


def _texts(table: pl.DataFrame | None) -> list[str]:
    if not some(table):
        return []
    n, empty, cut = (int(table[name].sum()) for name in ("n", "n_empty", "n_truncated"))
    counts = [f"{count:,} {words}" for count, words in ((empty, "empty"), (cut, "cut at the token limit")) if count]
    return [f"of {n:,} texts in the eight rows {' and '.join(counts)}"] if counts else []


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
