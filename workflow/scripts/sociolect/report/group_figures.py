"""Figures of the groups: how well they are told apart, where they lie, how far from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from sklearn.decomposition import PCA

from sociolect.common.artifacts import matrix
from sociolect.report.drawing import (
    BLUE,
    GRAY,
    ORANGE,
    PALETTE,
    STYLE,
    Picture,
    finished,
    heat_map,
    legend_beside,
    matrix_of,
    span_of,
)

__all__ = ["accuracy_plot", "confusion_plot", "distance_plot", "map_plot", "nearest_plot", "widest"]

_SHOWN = 1200  # answers on the map
_MARKERS = "os^DvP*X<>"
_MEASURES = {"pairwise": "over pairs of groups", "macro": "nearest of all groups, mean over groups"}


def widest(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows over all splits where there are such, else the first split's."""
    splits = frame["split"].unique(maintain_order=True).to_list()
    wanted = "all" if "all" in splits else splits[0] if splits else ""
    return frame.filter(pl.col("split") == wanted)


def accuracy_plot(accuracy: pl.DataFrame, topic: pl.DataFrame | None, name: str) -> Picture | None:
    """Accuracies on test of the net and of all baselines, over pairs and over all groups, chance dashed; None where
    none is known.

    Args:
        accuracy: ACCURACY.
        topic: TOPIC, which has the intervals of the accuracies over pairs.
        name: of the experiment.
    """
    test = widest(accuracy.filter(pl.col("group").is_null(), part="test", level="leaf"))
    test = test.filter(pl.col("measure").is_in(list(_MEASURES)))
    if test.height == 0:
        return None
    models = test["model"].unique(maintain_order=True).to_list()
    ends = {} if topic is None else {r["model"]: (r["accuracy_low"], r["accuracy_high"]) for r in topic.to_dicts()}
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(7.2, 1.5 + 0.26 * len(models)), layout="constrained")
        for axes, (measure, words) in zip(figure.subplots(1, 2, sharey=True), _MEASURES.items(), strict=True):
            own = test.filter(measure=measure)
            for model, value in own.select("model", "value").iter_rows():
                y, color = models.index(model), ORANGE if model == "net" else BLUE
                if measure == "pairwise" and None not in ends.get(model, (None,)):
                    axes.plot([100 * end for end in ends[model]], [y, y], color=color, linewidth=2)
                axes.plot([100 * value], [y], "o", color=color)
                axes.text(1.02, y, f"{100 * value:.1f}", va="center", fontsize=8, transform=axes.get_yaxis_transform())
            chance = own["chance"].drop_nulls()
            if len(chance):
                axes.axvline(100 * chance[0], color=GRAY, linestyle="--", linewidth=1)
            axes.set_xlim(0, 100)
            axes.set_title(words)
            axes.set_xlabel("accuracy, %")
            axes.xaxis.grid(True, color="#e6e9ec")
        axes.set_yticks(range(len(models)), [model.replace("_", " ") for model in models])
        axes.set_ylim(len(models) - 0.5, -0.5)
        title = f"How well groups are told apart on test, {name} (n = {span_of(test['n'])} answers; dashed: chance)"
        caption = (
            "Orange: the net, by the nearest group embedding. Blue: baselines on the same parts. Bars over pairs: "
            "intervals of a bootstrap over questions, where the topic was held still."
        )
        return finished(figure, f"{name}-accuracy", title, caption)


def confusion_plot(accuracy: pl.DataFrame, name: str) -> Picture | None:
    """Which group's test answers are nearest to which group; None where that is not known."""
    own = accuracy.filter(measure="confusion", model="net", level="leaf", part="test")
    if own.height == 0:
        return None
    own = widest(own)
    values, groups = matrix_of(list(own.select("group", "other", "value").iter_rows()), 0.0)
    n = own.unique("group")["n"].sum()
    return _square(
        values,
        groups,
        f"{name}-confusion",
        f"Which groups are mistaken for which, {name} (% of the true group's test answers, n = {n:,})",
        "Rows add up to 100. On the diagonal: known by the net.",
        ("true group", "nearest group, %"),
    )


def nearest_plot(nearest: pl.DataFrame, name: str) -> Picture | None:
    """Nearest groups of human test answers and of the model's answers to the bare question, side by side; None where
    there are none.

    Args:
        nearest: NEAREST; name: of the experiment.
    """
    found = [(source, nearest.filter(source=source)) for source in ("human", "model")]
    found = [(source, frame) for source, frame in found if frame.height]
    if not found:
        return None
    groups = sorted({*nearest["question_group"], *nearest["nearest"]})
    size = 1.6 + 0.36 * len(groups)
    counts = {source: frame["n"].sum() for source, frame in found}
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(0.5 + len(found) * size, 0.3 + size), layout="constrained")
        for axes, (source, frame) in zip(figure.subplots(1, len(found), squeeze=False)[0], found, strict=True):
            values = np.zeros((len(groups), len(groups)))
            for asked, other, share in frame.select("question_group", "nearest", "share").iter_rows():
                values[groups.index(asked), groups.index(other)] = share
            heat_map(axes, values, groups, groups, "question put to", "nearest group, %", share=True)
            axes.set_title(f"{'people' if source == 'human' else 'the model'} (n = {counts[source]:,})")
        title = f"Where texts lie before anything is steered, {name} (% of the texts of a question's group)"
        caption = "People's test answers beside the model's answers to the bare question, which is row 1 of the table."
        return finished(figure, f"{name}-nearest", title, caption)


def distance_plot(distances: pl.DataFrame, name: str) -> Picture:
    """Distances between group embeddings, and the same in units of the spread within the two groups: the margin.

    Args:
        distances: GROUP_DISTANCES; name: of the experiment.
    """
    groups = sorted({*distances["group"], *distances["other"]})
    size = 1.6 + 0.42 * len(groups)
    alike = [row[:2] for row in distances.filter("alike").select("group", "other").iter_rows()]
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(0.5 + 2 * size, 0.3 + size), layout="constrained")
        panels = {"distance": "distance of the embedding", "ratio": "in spreads within the groups"}
        for axes, (column, words) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            pairs = list(distances.select("group", "other", column).iter_rows())
            values, _ = matrix_of([*pairs, *((b, a, value) for a, b, value in pairs)], np.nan)
            heat_map(axes, values, groups, groups, "", "")
            for a, b in (*alike, *((b, a) for a, b in alike)):
                corner = groups.index(b) - 0.5, groups.index(a) - 0.5
                axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=ORANGE, linewidth=1.5))
            axes.set_title(words)
        n = len({frozenset(pair) for pair in distances.select("group", "other").iter_rows()})
        title = f"How far groups lie apart, {name} (n = {n} pair{'s' * (n > 1)} of {len(groups)} groups)"
        caption = (
            "Left: distance between group embeddings. Right: the margin, that distance over the mean distance of both "
            "groups' val answers to their own group embedding; below 1 groups overlap."
        ) + (" Orange rims: pairs that are told apart no better than profiles.alike_below." if alike else "")
        return finished(figure, f"{name}-distances", title, caption)


def map_plot(embeddings: pl.DataFrame, groups: pl.DataFrame, name: str) -> Picture | None:
    """The two first principal components of test embeddings, with the group embeddings; None without test answers.

    Args:
        embeddings: EMBEDDINGS; groups: GROUPS; name: of the experiment.
    """
    test = embeddings.filter(part="test").unique("answer_id").sort("answer_id")
    if test.height < 2:
        return None
    # every so many in the order of their ids: a choice that is the same each time
    shown = test.gather_every(max(1, -(-test.height // _SHOWN)))
    points, centers = matrix(shown["embedding"]), matrix(groups["embedding"])
    found = PCA(min(2, *points.shape), svd_solver="full").fit(matrix(test["embedding"]))
    share = found.explained_variance_ratio_.sum()
    names = groups["group"].to_list()
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(7.2, 5.0), layout="constrained")
        axes = figure.add_subplot()
        named = _scatter(axes, _plane(found, points), shown["group"].to_list(), _plane(found, centers), names)
        axes.set_xlabel("first principal component, in the embedding's distance")
        axes.set_ylabel("second")
        axes.set_aspect("equal", adjustable="datalim")
        legend_beside(axes, named)
        title = (
            f"Map of the style embeddings, {name} (n = {shown.height:,} of {test.height:,} test answers, "
            f"{len(names)} groups; {100 * share:.0f} % of the variance)"
        )
        caption = (
            "Small: answers. Large: group embeddings. What is near on the map can still be far in other directions."
        )
        return finished(figure, f"{name}-map", title, caption)


def _plane(found: PCA, points: np.ndarray) -> np.ndarray:
    places = found.transform(points)
    return np.pad(places, ((0, 0), (0, 2 - places.shape[1])))


def _scatter(
    axes: Axes, places: np.ndarray, of: Sequence[str], centers: np.ndarray, names: Sequence[str]
) -> list[Line2D]:
    """Groups by color and by form: beyond seven no color is left that all can tell apart. The groups' own marks."""
    looks = [(PALETTE[i % len(PALETTE)], _MARKERS[i % len(_MARKERS)]) for i in range(len(names))]
    for (color, marker), name in zip(looks, names, strict=True):
        rows = [row for row, group in enumerate(of) if group == name]
        axes.plot(*places[rows].T, marker, color=color, markersize=3, alpha=0.55, linestyle="", markeredgewidth=0)
    drawn = []
    for (color, marker), name, center in zip(looks, names, centers, strict=True):
        drawn += axes.plot(
            *center, marker, color=color, markeredgecolor="white", markersize=11, label=name, linestyle=""
        )
    return drawn


def _square(
    values: np.ndarray, groups: Sequence[str], name: str, title: str, caption: str, axes_titles: tuple[str, str]
) -> Picture:
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(2.4 + 0.5 * len(groups), 1.7 + 0.42 * len(groups)), layout="constrained")
        heat_map(figure.add_subplot(), values, groups, groups, *axes_titles, share=True)
        return finished(figure, name, title, caption)
