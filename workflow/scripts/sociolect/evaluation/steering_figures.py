"""Figures of the steering study: what style costs, and whether the topic stays."""

from __future__ import annotations

import polars as pl
from matplotlib import rc_context
from matplotlib.figure import Figure

from sociolect.evaluation.figures import BLUE, GRAY, ORANGE, STYLE, svg_text
from sociolect.generation.conditions import BASELINE, ROWS, ordered

__all__ = ["cost_plot", "shift_plot"]


def shift_plot(table: pl.DataFrame) -> str:
    """Other groups' style: rise of the target in the eyes of judges of style, against what the topic probe still sees.

    Best is on the right and not below 0. The eight rows are filled, others open.

    Args:
        table: BY_JUDGE with cross targets.
    """
    cross = table.filter((pl.col("targets") == "cross") & (pl.col("condition") != BASELINE))
    style = cross.filter(sees="style").group_by("condition").agg(pl.col("gain").mean())
    both = style.join(cross.filter(sees="topic").select("condition", "stay_gain"), on="condition")
    place = {name: row for row, name in enumerate(ordered(both["condition"].unique()))}
    both = both.with_columns(order=pl.col("condition").replace_strict(place, return_dtype=pl.Int64)).sort("order")
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(7.6, 4.6), layout="constrained")
        axes = figure.add_subplot()
        axes.axhline(0, color=GRAY, linewidth=1)
        axes.axvline(0, color=GRAY, linewidth=1)
        for number, row in enumerate(both.iter_rows(named=True), start=1):
            color = ORANGE if row["condition"].startswith("steered") else BLUE
            face = color if row["condition"] in ROWS else "white"
            at = 100 * row["gain"], 100 * row["stay_gain"]
            label = f"{number} {row['condition']}"
            axes.plot(*at, "o", color=color, markerfacecolor=face, label=label, linestyle="")
            axes.annotate(str(number), at, xytext=(4, 4), textcoords="offset points", fontsize=8)
        axes.set_xlabel("style: rise of the target's share, points, mean over judges of style")
        axes.set_ylabel("topic: rise of the question's group, points")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8)
        return svg_text(figure)


def cost_plot(sweep: pl.DataFrame) -> str:
    """Style gained on val over the change of log perplexity, a line per method through its best setting at each
    strength: how much effect a unit of damage buys. Open circles are outside a guard, the star is chosen.

    Args:
        sweep: SWEEP.
    """
    base = sweep.filter(pl.col("method") == "unsteered")["log_perplexity"][0]
    steered = sweep.filter((pl.col("method") != "unsteered") & pl.col("log_perplexity").is_not_null())
    best = steered.sort("n", "gain", descending=True).unique(["method", "alpha"], keep="first", maintain_order=True)
    best = best.sort("method", "alpha")
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(7.6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        axes.axhline(0, color=GRAY, linewidth=1)
        for number, ((method,), line) in enumerate(best.group_by("method", maintain_order=True)):
            x = [value - (base or 0.0) for value in line["log_perplexity"]]
            y = [100 * value for value in line["gain"]]
            color = f"C{number % 10}"
            axes.plot(x, y, color=color, linewidth=1, label=str(method))
            for at, up, row in zip(x, y, line.iter_rows(named=True), strict=True):
                face = color if row["fluent"] and row["on_topic"] else "white"
                marker, size = ("*", 14) if row["chosen"] else ("o", 4)
                axes.plot([at], [up], color=color, markerfacecolor=face, marker=marker, markersize=size)
        axes.set_xlabel("log perplexity minus the unsteered one")
        axes.set_ylabel("style gained, points")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8)
        return svg_text(figure)
