"""Figures of what goes in: answers on the way to the samples, sentences on the way to the attributes."""

from __future__ import annotations

import polars as pl
from matplotlib import rc_context
from matplotlib.figure import Figure

from sociolect.report.drawing import BLUE, GRAY, STYLE, Picture, finished

__all__ = ["attribute_funnel", "sampling_funnel"]

_PARTS = {"train": BLUE, "val": "#56b4e9", "test": "#000000"}


def sampling_funnel(sampling: pl.DataFrame, run: str) -> Picture:
    """Answers of each group in each split: in the cleaned table, and drawn, by part.

    Args:
        sampling: SAMPLING_FUNNEL; run: its name.
    """
    splits = sampling["split"].unique(maintain_order=True).to_list()
    groups = sampling["group"].unique().sort(descending=True).to_list()
    place = {group: y for y, group in enumerate(groups)}
    counted = sampling.group_by("split", "group", "part", "step", maintain_order=True).agg(pl.col("n_answers").sum())
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(7.2, 1.5 + 0.22 * len(groups)), layout="constrained")
        for axes, split in zip(figure.subplots(1, len(splits), squeeze=False, sharey=True)[0], splits, strict=True):
            own = counted.filter(split=split)
            whole = dict(own.filter(step="corpus").select("group", "n_answers").iter_rows())
            y = [place[group] for group in whole]
            axes.barh(y, list(whole.values()), height=0.75, color="#e3e7ea", label="in the cleaned table")
            left = dict.fromkeys(groups, 0)
            for part, color in _PARTS.items():
                drawn = dict(own.filter(step="drawn", part=part).select("group", "n_answers").iter_rows())
                axes.barh(
                    [place[g] for g in drawn],
                    list(drawn.values()),
                    0.4,
                    [left[g] for g in drawn],
                    color=color,
                    label=part,
                )
                left |= {group: left[group] + n for group, n in drawn.items()}
            total, kept = sum(whole.values()), sum(left.values())
            axes.set_title(f"{split}: {kept:,} drawn of {total:,}")
            axes.set_xlabel("answers")
            axes.set_yticks(range(len(groups)), groups)
            axes.locator_params(axis="x", nbins=4)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
        answers = sampling.filter(step="corpus")["n_answers"].sum()
        title = f"Answers drawn per group and split, run {run} (n = {answers:,} answers after cleaning)"
        caption = (
            "Gray: answers in the cleaned table. In front of it those drawn, by part. A group without a bar in front "
            "is below the minimum of that split, or has an empty part."
        )
        return finished(figure, "sampling", title, caption)


def attribute_funnel(funnel: pl.DataFrame, run: str) -> Picture | None:
    """Attributes that are left after each rule of rejection; None where nothing was there to reject.

    Args:
        funnel: CATALOGUE_FUNNEL; run: its name.
    """
    if funnel.height == 0:
        return None
    first = int(funnel["n_left"][0] + funnel["n_rejected"][0])
    names = ["said", *(rule.replace("_", " ") for rule in funnel["rule"])]
    left = [first, *funnel["n_left"].to_list()]
    gone = [0, *funnel["n_rejected"].to_list()]
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(6.4, 1.2 + 0.24 * len(names)), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(range(len(names)), left, color=BLUE, height=0.7, label="left")
        axes.barh(range(len(names)), gone, 0.7, left, color="#e3e7ea", edgecolor=GRAY, label="rejected by the rule")
        for y, (n, lost) in enumerate(zip(left, gone, strict=True)):
            axes.text(
                n + lost + 0.01 * first, y, f"{n:,}" + (f"  (-{lost:,})" if lost else ""), va="center", fontsize=8
            )
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.18 * max(first, 1))
        axes.set_xlabel("attributes")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
        title = f"From sentences to style attributes, run {run} (n = {first:,} attributes said, K = {left[-1]:,} kept)"
        caption = (
            "Different attributes that the describer said, and what each rule leaves of them, in the order of use."
        )
        return finished(figure, "attributes", title, caption)
