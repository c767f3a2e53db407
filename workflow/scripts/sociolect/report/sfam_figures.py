"""Figures of the style model: its training, its slices, and how faithful its student is."""

from __future__ import annotations

from typing import Any

import polars as pl
from matplotlib import rc_context
from matplotlib.figure import Figure

from sociolect.report.drawing import BLUE, GRAY, ORANGE, STYLE, Picture, finished, span_of
from sociolect.report.run_tables import leaves_of

__all__ = ["fidelity_plot", "slices_plot", "steps_plot"]


def steps_plot(steps: pl.DataFrame, run: str) -> Picture:
    """AUROC on val and training loss over the steps of SFAM's training, chance dashed.

    Args:
        steps: SFAM_STEPS; run: its name.
    """
    best = steps.sort("val_auroc").row(-1, named=True)
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(6.4, 2.9), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(steps["step"].to_list(), steps["val_auroc"].to_list(), "o-", color=BLUE, markersize=4)
        left.plot([best["step"]], [best["val_auroc"]], "*", color=ORANGE, markersize=13, label="best")
        left.axhline(0.5, color=GRAY, linestyle="--", linewidth=1, label="chance")
        left.set_ylim(min(0.45, steps["val_auroc"].min()), 1.0)  # type: ignore[type-var]
        left.set_ylabel("AUROC on val answers")
        left.legend(loc="center right", frameon=False)
        right.plot(steps["step"].to_list(), steps["train_loss"].to_list(), "o-", color=BLUE, markersize=4)
        right.set_ylim(bottom=0)
        right.set_ylabel("training loss")
        for axes in (left, right):
            axes.set_xlabel("optimizer steps")
        title = (
            f"SFAM's training, run {run}: AUROC {best['val_auroc']:.3f} on val after {best['step']:,} steps "
            f"(n = {steps.height} looks in {span_of(steps['step'].tail(1))} steps)"
        )
        caption = (
            "Left: AUROC on val answers with attributes that are trained on. Right: mean loss since the look before."
        )
        return finished(figure, "sfam-steps", title, caption)


def slices_plot(metrics: dict[str, Any], run: str) -> Picture | None:
    """AUROC by slice: texts never seen, attributes never seen, both, with easy and with hard negatives; None where none
    is known.

    Args:
        metrics: of `sfam/metrics.json`; run: its name.
    """
    slices = [(name, value) for name, value in leaves_of(metrics) if isinstance(value, dict)]
    known = [(name, slice_) for name, slice_ in slices if slice_.get("auroc") is not None]
    if not known:
        return None
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(6.4, 1.3 + 0.26 * len(known)), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(0.5, color=GRAY, linestyle="--", linewidth=1, label="chance")
        for y, (_, slice_) in enumerate(known):
            axes.plot([slice_["auroc"]], [y], "o", color=BLUE)
            axes.text(1.02, y, f"{slice_['auroc']:.2f}", va="center", fontsize=8, transform=axes.get_yaxis_transform())
        axes.set_yticks(range(len(known)), [f"{name} (n = {slice_['n']:,})" for name, slice_ in known])
        axes.set_ylim(len(known) - 0.5, -0.5)
        axes.set_xlim(min(0.4, *(slice_["auroc"] for _, slice_ in known)), 1.0)
        axes.set_xlabel("AUROC")
        axes.xaxis.grid(True, color="#e6e9ec")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
        title = f"Where SFAM can be trusted, run {run}: AUROC by slice (n = pairs of answer and attribute)"
        caption = (
            "Held-out texts: answers of the test part. Held-out attributes: attributes that were never trained on. "
            "Easy and hard: negatives unlike and like what was said of the answer."
        )
        return finished(figure, "sfam-slices", title, caption)


def fidelity_plot(fidelity: pl.DataFrame, run: str) -> Picture:
    """Correlation of the student with its teacher, attribute by attribute, and its mean scores against the teacher's.

    Args:
        fidelity: FIDELITY; run: its name.
    """
    ranked = fidelity.sort("pearson", descending=True)
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(range(1, ranked.height + 1), ranked["pearson"].to_list(), color=BLUE, label="Pearson")
        left.plot(range(1, ranked.height + 1), ranked["spearman"].to_list(), ".", color=ORANGE, label="Spearman", ms=3)
        left.set_ylim(min(0.0, ranked["pearson"].min()), 1.0)  # type: ignore[type-var]
        left.set_xlabel("attributes, best first")
        left.set_ylabel("correlation with the teacher")
        left.legend(loc="lower left", frameon=False)
        right.plot([0, 1], [0, 1], color=GRAY, linewidth=1)
        right.plot(ranked["teacher_mean"].to_list(), ranked["student_mean"].to_list(), "o", color=BLUE, markersize=3)
        right.set_xlabel("mean score of the teacher")
        right.set_ylabel("mean score of the student")
        mean = float(ranked["pearson"].mean())  # type: ignore[arg-type]
        title = (
            f"How faithful SFAM's student is, run {run}: mean Pearson {mean:.2f} "
            f"(n = {span_of(ranked['n'])} test answers, K = {ranked.height:,} attributes)"
        )
        caption = (
            "Each attribute is a point. On the line of the right panel the student is as ready to agree as its teacher."
        )
        return finished(figure, "sfam-fidelity", title, caption)
