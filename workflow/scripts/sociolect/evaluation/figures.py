"""Figures of the report as SVG text: fixed ids, no date, so that the same tables give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

__all__ = ["BLUE", "GRAY", "ORANGE", "STYLE", "heat_map", "rate_plot", "steps_plot", "svg_text", "sweep_plot"]

STYLE = {
    "svg.hashsalt": "sociolect",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
BLUE, ORANGE, GRAY = "#1f5fa8", "#c2571a", "#8a939c"


def rate_plot(
    labels: Sequence[str],
    rates: Sequence[float | None],
    lows: Sequence[float | None],
    highs: Sequence[float | None],
    judged: Sequence[float | None],
    chance: float | None,
    split_at: Sequence[int] = (),
) -> str:
    """Hit rates with intervals, one line per condition, the topic probe's share as open circles, chance dashed.

    Args:
        labels: conditions, from top to bottom.
        rates: shares in [0, 1], or None for nothing measured; lows, highs: ends of the intervals.
        judged: share that the topic probe takes for the question's group.
        chance: what guessing reaches.
        split_at: positions above which a thin line separates blocks of rows.
    """
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(7.2, 0.9 + 0.3 * len(labels)), layout="constrained")
        axes = figure.add_subplot()
        first = next((i for i, rate in enumerate(rates) if rate is not None), None)
        for y, (rate, low, high, judge) in enumerate(zip(rates, lows, highs, judged, strict=True)):
            if rate is None:
                axes.text(0.01, y, "n/a", va="center", color=GRAY)
                continue
            if low is not None and high is not None:
                axes.plot([low, high], [y, y], color=BLUE, linewidth=2, solid_capstyle="butt")
            axes.plot([rate], [y], "o", clip_on=False, color=BLUE, label="nearest group" if y == first else None)
            if judge is not None:
                style: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": ORANGE}
                axes.plot([judge], [y], "o", clip_on=False, label="topic probe" if y == first else None, **style)
        if chance is not None:
            axes.axvline(chance, color=GRAY, linestyle="--", linewidth=1, label="chance", zorder=0)
        for position in split_at:
            axes.axhline(position - 0.5, color=GRAY, linewidth=0.5)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.set_xlabel("share of the generations in the target group")
        axes.xaxis.grid(True, color="#e6e9ec")
        axes.set_axisbelow(True)
        if first is not None:
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
        return svg_text(figure)


def heat_map(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    row_title: str,
    column_title: str,
    share: bool = False,
) -> str:
    """A matrix [R, C] with its numbers written in; `share` writes percentages on a scale from 0 to 1."""
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(2.2 + 0.45 * len(columns), 1.4 + 0.45 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        top = 1.0 if share else max(float(np.nanmax(values, initial=0.0)), 1e-12)
        axes.imshow(values, cmap="Blues", vmin=0, vmax=top)
        for i in range(len(rows)):
            for j in range(len(columns)):
                if np.isfinite(values[i, j]):
                    text = f"{100 * values[i, j]:.0f}" if share else f"{values[i, j]:.2f}"
                    dark = values[i, j] > 0.55 * top
                    axes.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
        axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(rows)), rows)
        axes.set_xlabel(column_title)
        axes.set_ylabel(row_title)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        return svg_text(figure)


def steps_plot(steps: pl.DataFrame) -> str:
    """AUROC on val over the steps of SFAM's training, chance as a dashed line.

    Args:
        steps: SFAM_STEPS.
    """
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(5.0, 2.8), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(steps["step"].to_list(), steps["val_auroc"].to_list(), "o-", color=BLUE, markersize=4)
        axes.axhline(0.5, color=GRAY, linestyle="--", linewidth=1)
        axes.set_ylim(0.45, 1.0)
        axes.set_xlabel("training steps")
        axes.set_ylabel("AUROC on val")
        return svg_text(figure)


def sweep_plot(sweep: pl.DataFrame) -> str:
    """Style gained and log perplexity over the strength, one line per method and layers.

    Settings outside a guard are open circles, the chosen one is a star.

    Args:
        sweep: SWEEP.
    """
    with rc_context(STYLE):  # type: ignore[arg-type]
        lines = (
            sweep.filter(pl.col("layers").list.len() > 0)
            .with_columns(name=_layers_name())
            .sort("method", "layers", "alpha")
        )
        names = lines["name"].unique(maintain_order=True).to_list()
        figure = Figure(figsize=(9.5, 3.4 + 0.08 * len(names)), layout="constrained")
        left, right = figure.subplots(1, 2)
        for column, axes in (("gain", left), ("log_perplexity", right)):
            for number, name in enumerate(names):
                _sweep_line(axes, lines.filter(pl.col("name") == name), column, f"C{number % 10}")
            axes.set_xlabel("strength alpha")
            axes.yaxis.grid(True, color="#e6e9ec")
            axes.set_axisbelow(True)
        left.set_ylabel("rise of the target's share, mean over judges of style")
        left.axhline(0, color=GRAY, linewidth=1)
        right.set_ylabel("log perplexity")
        figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8)
        return svg_text(figure)


def _sweep_line(axes: Axes, line: pl.DataFrame, column: str, color: str) -> None:
    axes.plot(line["alpha"].to_list(), line[column].to_list(), color=color, linewidth=1, label=line["name"][0])
    marks: tuple[tuple[pl.DataFrame, dict[str, Any]], ...] = (
        (line.filter(pl.col("fluent") & pl.col("on_topic")), {"marker": "o", "markersize": 4}),
        (
            line.filter(~(pl.col("fluent") & pl.col("on_topic"))),
            {"marker": "o", "markersize": 4, "markerfacecolor": "white"},
        ),
        (line.filter("chosen"), {"marker": "*", "markersize": 14}),
    )
    for frame, style in marks:
        if frame.height:
            axes.plot(frame["alpha"].to_list(), frame[column].to_list(), linestyle="", color=color, **style)


def _layers_name() -> pl.Expr:
    layers = pl.col("layers")
    first, last = layers.list.first().cast(pl.String), layers.list.last().cast(pl.String)
    where = pl.when(layers.list.len() > 1).then(first + "-" + last).otherwise(first)
    return pl.col("method") + ", block " + where


def svg_text(figure: Figure) -> str:
    """The figure as SVG, without a date."""
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
