"""What a run took, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib import rc_context
from matplotlib.figure import Figure

from sociolect.report.drawing import BLUE, ORANGE, STYLE, Picture, finished

__all__ = ["times_plot"]

_SHOWN = 20  # rules with a bar of their own


def times_plot(took: Mapping[str, tuple[float, int]], gpus: Mapping[str, int], run: str) -> Picture | None:
    """Hours of each rule, the longest first, and its GPU hours: hours times the GPUs that a job of it asks for; None
    where nothing was timed.

    Args:
        took: rule -> hours and jobs, as their benchmark files say.
        gpus: rule -> GPUs that one of its jobs asks for.
        run: its name.
    """
    if not took:
        return None
    rows = sorted(((hours, rule, jobs, gpus.get(rule, 0)) for rule, (hours, jobs) in took.items()), reverse=True)
    hours, gpu_hours = sum(row[0] for row in rows), sum(row[0] * row[3] for row in rows)
    jobs = sum(row[2] for row in rows)
    bars = [(rule, own, own * gpu, f"{_clock(own)}, {_jobs(n)}") for own, rule, n, gpu in rows[:_SHOWN]]
    if rest := rows[_SHOWN:]:
        left, on_gpus = sum(row[0] for row in rest), sum(row[0] * row[3] for row in rest)
        label = f"{_clock(left)}, {_jobs(sum(row[2] for row in rest))}"
        bars.append((f"{len(rest)} other rules", left, on_gpus, label))
    # minutes where hours would all be nothing
    scale, unit = (1, "h") if max(bar[1] for bar in bars) >= 1 else (60, "min")
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(7.2, 1.4 + 0.25 * len(bars)), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(range(len(bars)), [scale * bar[1] for bar in bars], 0.72, color=BLUE, label=f"all jobs, {unit}")
        if gpu_hours:
            widths = [scale * bar[2] for bar in bars]
            axes.barh(range(len(bars)), widths, 0.3, color=ORANGE, label=f"times GPUs asked for, {unit}")
        for y, bar in enumerate(bars):
            axes.annotate(
                bar[3], (scale * max(bar[1:3]), y), (4, 0), textcoords="offset points", va="center", fontsize=8
            )
        axes.set_yticks(range(len(bars)), [bar[0] for bar in bars])
        axes.set_ylim(len(bars) - 0.5, -0.5)
        axes.margins(x=0.3)
        axes.set_xlim(left=0)
        axes.set_xlabel(f"time of all jobs of the rule, {unit}")
        axes.legend(loc="lower right", frameon=False)
        title = (
            f"What the run took, {run}: {_clock(hours)} of all jobs, {_clock(gpu_hours)} times GPUs (n = {_jobs(jobs)})"
        )
        caption = (
            "Last attempts of the jobs that had ended when this page was written, from Snakemake's benchmark files; "
            "jobs that run side by side count in full. GPU hours: hours times the GPUs that a job asks for. None are "
            "counted where both models are small: their jobs take a GPU only where there is one."
        )
        return finished(figure, "times", title, caption)


def _jobs(n: int) -> str:
    return "1 job" if n == 1 else f"{n:,} jobs"


def _clock(hours: float) -> str:
    if hours == 0:
        return "0 h"
    if hours < 1 / 60:
        return f"{3600 * hours:.0f} s" if hours >= 1 / 3600 else "under 1 s"
    return f"{60 * hours:.1f} min" if hours < 1 else f"{hours:.1f} h"
