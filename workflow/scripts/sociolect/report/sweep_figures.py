"""Figures of the choice of blocks and strength on val."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sociolect.report.drawing import GRAY, PALETTE, STYLE, Picture, cell_text, finished, legend_beside, span_of

__all__ = ["cost_plot", "sweep_map"]

_COLUMNS = 3
_MAP = "PuOr_r"
_MARKERS = "os^DvP"


def sweep_map(sweep: pl.DataFrame, name: str) -> Picture | None:
    """Style gained on val, blocks by strength, a panel per method: what is outside a guard is crossed, the best of each
    method has a rim, and the star is what the table uses. None where nothing was steered.

    Args:
        sweep: SWEEP; name: of the experiment.
    """
    steered = _named(sweep).filter(pl.col("layers").list.len() > 0)
    if steered.height == 0:
        return None
    methods = steered["method"].unique(maintain_order=True).to_list()
    places = steered.sort("layers", "positions")["place"].unique(maintain_order=True).to_list()
    alphas = sorted(steered["alpha"].unique())
    most = 100 * max(float(steered["gain"].abs().max()), 0.01)  # type: ignore[arg-type]
    wide, lines = min(_COLUMNS, len(methods)), -(-len(methods) // _COLUMNS)
    with rc_context(STYLE):  # type: ignore[arg-type]
        size = (1.8 + wide * (0.5 + 0.4 * len(alphas)), 1.3 + lines * (0.8 + 0.36 * len(places)))
        figure = Figure(figsize=(max(size[0], 5.5), size[1]), layout="constrained")
        panels = list(figure.subplots(lines, wide, squeeze=False).flat)
        for axes, method in zip(panels, methods, strict=False):
            _panel(axes, steered.filter(method=method), places, alphas, most)
            axes.set_title(method)
        for axes in panels[len(methods) :]:
            axes.set_axis_off()
        figure.supxlabel("strength alpha, in median residual norms", fontsize=9)
        figure.supylabel("blocks that are steered", fontsize=9)
        title = (
            f"Where and how strongly to steer, {name}: style gained on val, points (n = {span_of(steered['n'])} texts)"
        )
        chosen = steered.filter("chosen")
        caption = (
            "Rise of the target's share, mean over judges of style and over own and other targets, in points. "
            "x: outside the guard of fluency or of the topic. Rim: what the method is shown with on test. "
            + ("Star: what the table uses. " if chosen.height else "Nothing is chosen: it was best not to steer. ")
            + "More texts were spent on what did well on few, so cells differ in n."
        )
        return finished(figure, f"{name}-sweep", title, caption)


def _panel(axes: Axes, own: pl.DataFrame, places: list[str], alphas: list[float], most: float) -> None:
    values = np.full((len(places), len(alphas)), np.nan)
    for row in own.iter_rows(named=True):
        y, x = places.index(row["place"]), alphas.index(row["alpha"])
        values[y, x] = 100 * row["gain"]
        mark = "" if row["fluent"] and row["on_topic"] else " x"
        cell_text(axes, x, y, f"{values[y, x]:+.0f}{mark}", (values[y, x] + most) / (2 * most), _MAP)
        if row["best"] or row["chosen"]:
            axes.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, fill=False, edgecolor="black", linewidth=1.5))
        if row["chosen"]:
            axes.plot([x - 0.3], [y - 0.27], "*", markersize=8, color="black")
    axes.imshow(values, cmap=_MAP, vmin=-most, vmax=most, aspect="auto")
    axes.set_xticks(range(len(alphas)), [f"{alpha:g}" for alpha in alphas])
    axes.set_yticks(range(len(places)), places)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def cost_plot(sweep: pl.DataFrame, name: str) -> Picture:
    """Style gained on val over the change of log perplexity, a line per method through its best setting at each
    strength: how much effect a unit of damage buys. Open marks are outside a guard, the star is chosen.

    Args:
        sweep: SWEEP; name: of the experiment.
    """
    base = sweep.filter(pl.col("method") == "unsteered")["log_perplexity"][0]
    steered = sweep.filter((pl.col("method") != "unsteered") & pl.col("log_perplexity").is_not_null())
    # the chosen one, whatever else was tried at its strength
    best = steered.sort("chosen", "n", "gain", descending=True).unique(
        ["method", "alpha"], keep="first", maintain_order=True
    )
    best = best.sort("method", "alpha")
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(7.2, 3.8), layout="constrained")
        axes = figure.add_subplot()
        axes.axhline(0, color=GRAY, linewidth=1)
        axes.axvline(0, color=GRAY, linewidth=1)
        for number, ((method,), line) in enumerate(best.group_by("method", maintain_order=True)):
            x = [value - (base or 0.0) for value in line["log_perplexity"]]
            y = [100 * value for value in line["gain"]]
            color, form = PALETTE[number % len(PALETTE)], _MARKERS[number % len(_MARKERS)]
            axes.plot(x, y, color=color, linewidth=1)
            axes.plot([], [], color=color, linewidth=1, marker=form, markersize=5, label=str(method))
            for at, up, row in zip(x, y, line.iter_rows(named=True), strict=True):
                face = color if row["fluent"] and row["on_topic"] else "white"
                marker, size = ("*", 14) if row["chosen"] else (form, 5)
                axes.plot([at], [up], color=color, markerfacecolor=face, marker=marker, markersize=size)
        axes.set_xlabel("log perplexity minus the unsteered one, nats per token")
        axes.set_ylabel("style gained, points")
        legend_beside(axes)
        n = span_of(best["n"]) if best.height else "0"
        title = f"What style costs in fluency on val, {name}, by method (n = {n} texts per mark)"
        caption = (
            "Each method's best place at each strength. Filled: inside the guards of fluency and topic. "
            "Star: what the table uses."
        )
        return finished(figure, f"{name}-cost", title, caption)


def _named(sweep: pl.DataFrame) -> pl.DataFrame:
    """With the blocks in words, and the positions where there are several."""
    layers = pl.col("layers")
    first, last = layers.list.first().cast(pl.String), layers.list.last().cast(pl.String)
    where = pl.when(layers.list.len() > 1).then(first + "-" + last).otherwise(first)
    several = sweep.filter(layers.list.len() > 0)["positions"].n_unique() > 1
    return sweep.with_columns(place=where + ", " + pl.col("positions") if several else where)
