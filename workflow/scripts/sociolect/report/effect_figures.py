"""Figures of the effect on test: the table as every judge sees it, what it costs, and whether the topic stays."""

from __future__ import annotations

import polars as pl
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sociolect.generation.conditions import BASELINE, ROWS, ordered
from sociolect.report.drawing import (
    BLUE,
    GRAY,
    ORANGE,
    PALETTE,
    STYLE,
    Picture,
    finished,
    legend_beside,
    number_points,
    span_of,
)

__all__ = ["damage_plot", "forest_plot", "shift_plot"]

_MARKERS = "os^DvP"
_TARGETS = {"own": "the question's own group", "cross": "another group than the question's"}


def forest_plot(judges: pl.DataFrame, name: str) -> Picture | None:
    """The table as every judge sees it: rise of the target's share against row 1, with its interval, a line per
    condition and a mark per judge; None where nothing was judged.

    Args:
        judges: BY_JUDGE; name: of the experiment.
    """
    seen = judges.filter(pl.col("sees") != "question", pl.col("condition") != BASELINE)
    if seen.height == 0:
        return None
    conditions = ordered(seen["condition"].unique())
    who = seen.sort(pl.col("sees") != "style", maintain_order=True)["judge"].unique(maintain_order=True).to_list()
    targets = [kind for kind in _TARGETS if (seen["targets"] == kind).any()]
    with rc_context(STYLE):  # type: ignore[arg-type]
        size = (4.0 + 2.9 * len(targets), 1.6 + 0.13 * len(conditions) * max(len(who), 2))
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(1, len(targets), squeeze=False, sharey=True)[0]
        for axes, kind in zip(panels, targets, strict=True):
            for number, judge in enumerate(who):
                own = seen.filter(targets=kind, judge=judge)
                _whiskers(axes, own, conditions, judge, number, (number - (len(who) - 1) / 2) * 0.75 / len(who))
            axes.axvline(0, color=GRAY, linewidth=1)
            for edge in _edges(conditions):
                axes.axhline(edge, color=GRAY, linewidth=0.6)
            n = seen.filter(targets=kind)["n"]
            axes.set_title(f"towards {_TARGETS[kind]}\n(n = {span_of(n)} texts per condition)")
            axes.set_xlabel("rise against the bare question, points")
            axes.xaxis.grid(True, color="#e6e9ec")
            axes.set_axisbelow(True)
        axes.set_yticks(range(len(conditions)), conditions)
        axes.set_ylim(len(conditions) - 0.5, -0.5)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
        title = f"Texts that a judge sees in their target group, {name}: each condition against the bare question"
        caption = (
            "Rise of the target's share, with its interval (bootstrap over questions, paired). Lines part prompts, "
            "steered rows, and what stands below the line of the table. A condition without a mark was not asked for "
            "these targets. topic: the probe of words and characters, no judge of style."
        )
        return finished(figure, f"{name}-forest", title, caption)


def _whiskers(axes: Axes, own: pl.DataFrame, conditions: list[str], judge: str, number: int, shift: float) -> None:
    color = GRAY if own.height and own["sees"][0] == "topic" else PALETTE[number % len(PALETTE)]
    rows = [row for row in own.iter_rows(named=True) if row["gain"] is not None]
    at = [conditions.index(row["condition"]) + shift for row in rows]
    axes.hlines(
        at, [100 * r["gain_low"] for r in rows], [100 * r["gain_high"] for r in rows], color=color, linewidth=1.2
    )
    marker, face = _MARKERS[number % len(_MARKERS)], "white" if color == GRAY else color
    axes.plot([100 * r["gain"] for r in rows], at, marker, color=color, markerfacecolor=face, markersize=4, label=judge)


def _edges(conditions: list[str]) -> list[float]:
    """Between prompts and steered rows, and above what stands below the line."""
    half = len(ROWS) // 2
    blocks = [0 if c in ROWS[:half] else 1 if c in ROWS else 2 for c in conditions]
    return [i - 0.5 for i in range(1, len(blocks)) if blocks[i] != blocks[i - 1]]


def damage_plot(table: pl.DataFrame, contrasts: pl.DataFrame, name: str) -> Picture | None:
    """What an effect costs on test: rise of the hit rate against row 1, with its interval, over the change of log
    perplexity; None where either is not known.

    Args:
        table: COMPARISON of all rows; contrasts: CONTRASTS; name: of the experiment.
    """
    base = table.filter(condition=BASELINE)["log_perplexity"].drop_nulls()
    rises = contrasts.filter(against=BASELINE, measure="hit_rate").select("condition", "difference", "low", "high")
    known = table.join(rises, on="condition", maintain_order="left").drop_nulls("log_perplexity")
    if len(base) == 0 or known.height == 0:
        return None
    place = {condition: i for i, condition in enumerate(ordered(known["condition"]))}
    rows = sorted(known.iter_rows(named=True), key=lambda row: place[row["condition"]])
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure, axes = _crossed()
        points: list[tuple[float, float]] = []
        for number, row in enumerate(rows, start=1):
            x, color = row["log_perplexity"] - base[0], _color(row["condition"])
            axes.plot([x, x], [100 * row["low"], 100 * row["high"]], color=color, linewidth=1, alpha=0.6)
            points.append(_mark(axes, number, row["condition"], x, 100 * row["difference"]))
        axes.set_xlabel("log perplexity minus row 1's, nats per token")
        axes.set_ylabel("rise of the hit rate, points")
        legend_beside(axes)
        number_points(axes, points)
        title = f"Effect and damage on test, {name} (n = {span_of(known['n'])} texts per condition)"
        caption = (
            "Up: more texts whose nearest group is the target, with the interval of the rise. Right: less likely text "
            "under the unsteered model; far left is a loop. Filled: the eight rows. Orange: steered."
        )
        return finished(figure, f"{name}-damage", title, caption)


def shift_plot(judges: pl.DataFrame, name: str) -> Picture | None:
    """Other groups' style: rise of the target in the eyes of judges of style, against what the topic probe still sees.

    Best is on the right and not below 0. The eight rows are filled, others open. None without cross targets.

    Args:
        judges: BY_JUDGE; name: of the experiment.
    """
    cross = judges.filter((pl.col("targets") == "cross") & (pl.col("condition") != BASELINE))
    style = cross.filter(sees="style").group_by("condition").agg(pl.col("gain").mean())
    both = style.join(cross.filter(sees="topic").select("condition", "stay_gain", "n"), on="condition")
    if both.height == 0:
        return None
    place = {name: row for row, name in enumerate(ordered(both["condition"].unique()))}
    both = both.with_columns(order=pl.col("condition").replace_strict(place, return_dtype=pl.Int64)).sort("order")
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure, axes = _crossed()
        points: list[tuple[float, float]] = []
        for number, row in enumerate(both.iter_rows(named=True), start=1):
            points.append(_mark(axes, number, row["condition"], 100 * row["gain"], 100 * row["stay_gain"]))
        axes.set_xlabel("style: rise of the target's share, points, mean over judges of style")
        axes.set_ylabel("topic: rise of the question's group, points")
        legend_beside(axes)
        number_points(axes, points)
        title = f"Does style move while the topic stays, {name} (n = {span_of(both['n'])} texts per condition)"
        caption = (
            "Another group's style on a group's question, against row 1. Filled: the eight rows. Orange: steered. To "
            "the right, style moves; near 0 on the other axis, the topic stays."
        )
        return finished(figure, f"{name}-shift", title, caption)


def _crossed() -> tuple[Figure, Axes]:
    """A figure whose axes cross at 0: no change in either direction."""
    figure = Figure(figsize=(8.2, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.axhline(0, color=GRAY, linewidth=1)
    axes.axvline(0, color=GRAY, linewidth=1)
    return figure, axes


def _color(condition: str) -> str:
    return ORANGE if condition.startswith("steered") else BLUE


def _mark(axes: Axes, number: int, condition: str, x: float, y: float) -> tuple[float, float]:
    """A mark, of which number and condition stand in the legend; returns its place."""
    color = _color(condition)
    face = color if condition in ROWS else "white"
    axes.plot(x, y, "o", color=color, markerfacecolor=face, label=f"{number} {condition}", linestyle="")
    return x, y
