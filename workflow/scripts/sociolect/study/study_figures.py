"""Figures of the embedding study as SVG: learning curves, margins, confusion, and a map of the embeddings."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA

from sociolect.report.drawing import BLUE, GRAY, ORANGE, STYLE, heat_map, svg_text
from sociolect.settings.study import REFERENCE, embedding_cells

__all__ = ["confusion_plot", "learning_curve", "map_plot", "margin_plot"]

_SHOWN = 2000  # answers on the map
_LOGISTIC = "ceiling-style-logistic"


def learning_curve(study: pl.DataFrame) -> str:
    """Test accuracy over the share of train, of the net and of logistic regression on its style vectors.

    Args:
        study: STUDY with the axis `size`; empty text without it.
    """
    cells = {name: cell for name, cell in embedding_cells().items() if cell.axis == "size"}
    cells |= {name: embedding_cells()[name] for name in (REFERENCE, _LOGISTIC)}
    lines: dict[str, list[tuple[float, str]]] = {}
    for name, cell in cells.items():
        kind = "logistic regression" if cell.classifier == "logistic" else "net, nearest group embedding"
        lines.setdefault(kind, []).append((cell.train_share, name))
    return _lines(study, lines, "share of the train answers", "size")


def margin_plot(study: pl.DataFrame) -> str:
    """Test accuracy over the margin of the triplets.

    Args:
        study: STUDY with the axis `margin`; empty text without it.
    """
    margins = [(float(c.shown), name) for name, c in embedding_cells().items() if c.axis == "margin"]
    return _lines(study, {"triplets, Euclidean": margins}, "margin", "margin")


def confusion_plot(answers: pl.DataFrame) -> str:
    """Share of each group's test answers that are nearest to each group, mean over nets.

    Args:
        answers: STUDY_ANSWERS of one cell; its first center counts.
    """
    told = answers.filter(pl.col("part") == "test", pl.col("level") == "leaf", pl.col("center") == answers["center"][0])
    # a group without test answers may be the nearest one
    groups = pl.concat([told["group"], told["nearest"]]).unique().sort().to_list()
    counts = np.zeros((len(groups), len(groups)))
    for group, nearest, n in told.group_by("group", "nearest").len().iter_rows():
        counts[groups.index(group), groups.index(nearest)] = n
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(2.2 + 0.45 * len(groups), 1.4 + 0.45 * len(groups)), layout="constrained")
        heat_map(figure.add_subplot(), shares, groups, groups, "group of the answer", "nearest group, %", share=True)
        return svg_text(figure)


def map_plot(
    embeddings: np.ndarray, groups: Sequence[str], centers: np.ndarray, names: Sequence[str], seed: int
) -> str:
    """Two maps of embeddings [n, D] and group embeddings [G, D]: by PCA, and by UMAP (McInnes et al. 2018).

    At most 2000 answers are drawn, so that groups can be seen.

    Args:
        groups: group of each answer.
        names: of the group embeddings.
        seed: of the draw and of UMAP.
    """
    # imported here: its compiler takes seconds to load
    from umap import UMAP

    drawn = np.sort(np.random.default_rng(seed).permutation(len(embeddings))[:_SHOWN])
    points, of = embeddings[drawn], [groups[i] for i in drawn]
    both = np.concatenate([points, centers])
    with warnings.catch_warnings():
        # it says that a seed leaves it one thread
        warnings.simplefilter("ignore", UserWarning)
        umap = UMAP(n_neighbors=min(30, len(both) - 1), random_state=seed % 2**32).fit_transform(both)
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(10, 5), layout="constrained")
        left, right = figure.subplots(1, 2)
        for axes, title, places in ((left, "PCA", _plane(points, both)), (right, "UMAP", umap)):
            _scatter(axes, places, of, names)
            axes.set_title(title)
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper", frameon=False)
        return svg_text(figure)


def _plane(points: np.ndarray, both: np.ndarray) -> np.ndarray:
    """The two first principal components [n, 2] of `points`, for all of `both`; of one dimension the second is 0."""
    found = PCA(min(2, points.shape[1]), svd_solver="full").fit(points).transform(both)
    return np.pad(found, ((0, 0), (0, 2 - found.shape[1])))


def _scatter(axes: Axes, places: np.ndarray, of: Sequence[str], names: Sequence[str]) -> None:
    """Answers as small points, group embeddings as large ones with a rim; the axes have no unit."""
    for i, name in enumerate(names):
        color = colormaps["tab20"](i % 20)
        rows = [row for row, group in enumerate(of) if group == name]
        axes.plot(*places[rows].T, ".", color=color, markersize=3, alpha=0.6)
        place = places[len(of) + i]
        axes.plot(*place, "o", color=color, markeredgecolor="black", markersize=9, label=name)
    axes.set_xticks([])
    axes.set_yticks([])


def _lines(study: pl.DataFrame, lines: dict[str, list[tuple[float, str]]], title: str, axis: str) -> str:
    test = study.filter(pl.col("part") == "test", pl.col("level") == "leaf", pl.col("axis") != "center")
    if axis not in test["axis"]:
        return ""
    rows = {row["cell"]: row for row in test.iter_rows(named=True)}
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(5.5, 3.5), layout="constrained")
        axes = figure.add_subplot()
        for (label, points), color in zip(lines.items(), (BLUE, ORANGE), strict=False):
            there = sorted((x, rows[name]) for x, name in points if name in rows)
            xs, values = [x for x, _ in there], [row["pairwise"] for _, row in there]
            ends = [
                [row["pairwise"] - row["low"] for _, row in there],
                [row["high"] - row["pairwise"] for _, row in there],
            ]
            axes.errorbar(xs, values, yerr=ends, color=color, marker="o", markersize=4, capsize=3, label=label)
        axes.set_xscale("log")
        ticks = sorted({x for points in lines.values() for x, name in points if name in rows})
        axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
        axes.minorticks_off()
        axes.set_xlabel(title)
        axes.set_ylabel("test accuracy over pairs")
        axes.grid(True, color=GRAY, alpha=0.2)
        axes.legend(frameon=False)
        return svg_text(figure)
