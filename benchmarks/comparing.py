"""Rows and tables that every benchmark has: speeds with their ratios, and targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from measuring import Row, Turns

__all__ = ["percent", "print_doubts", "speed_conditions", "speed_rows", "target_rows", "targets_table"]


def speed_conditions(turns: Turns) -> dict[str, Any]:
    """What a speed depends on beside machine and work: its rounds and their range."""
    return {
        "min": min(turns.speeds),
        "max": max(turns.speeds),
        "seconds": round(turns.seconds, 1),
        "rounds": len(turns.speeds),
        "cores": round(turns.cores, 2),
    }


def speed_rows(
    name: str, turns: Mapping[str, Turns], baselines: Sequence[str], unit: str, where: Mapping[str, Any]
) -> list[Row]:
    """A contender's speed, and once more with the ratio against each baseline that was measured."""
    mine = turns[name]
    others = [other for other in baselines if other != name and other in turns]
    ratios = [Row(f"{name}: speed", mine.median, unit, other, mine.ratio(turns[other]), where) for other in others]
    return [Row(f"{name}: speed", mine.median, unit, conditions=where), *ratios]


def target_rows(
    turns: Mapping[str, Turns], targets: Sequence[tuple[str, str, float]], conditions: Mapping[str, Any]
) -> list[Row]:
    """What was promised, (contender, baseline, least ratio), and what came out."""
    rows = []
    for name, baseline, least in targets:
        ratio = turns[name].ratio(turns[baseline]) if name in turns and baseline in turns else None
        note = {"met": None if ratio is None else ratio >= least}
        rows.append(Row(f"target: {name}", least, "x, at least", baseline, ratio, {**conditions, **note}))
    return rows


def targets_table(rows: Sequence[Row]) -> Table:
    """The targets among the rows."""
    table = Table("target", "against", "at least", "measured", "")
    for row in rows:
        if row.name.startswith("target: "):
            met = {True: "met", False: "missed", None: "not measured"}[row.conditions["met"]]
            shown = "-" if row.ratio is None else f"{row.ratio:.2f}x"
            table.add_row(row.name.removeprefix("target: "), row.baseline, f"{row.value:g}x", shown, met)
    return table


def print_doubts(rows: Sequence[Row], console: Console) -> None:
    """Say so if other work ran beside the measurement."""
    busy = [row.conditions["cores"] for row in rows if "cores" in row.conditions]
    if rows[0].conditions["device"] == "cpu" and busy and min(busy) < 0.8:
        console.print(f"other work had up to {100 * (1 - min(busy)):.0f} % of the cores: the ratios are unsure")


def percent(share: float | None) -> str:
    """A share for people."""
    return "n/a" if share is None else f"{100 * share:.1f} %"
