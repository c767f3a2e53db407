"""The estimate as a table: hours per rule against the budget, and beside what the run took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from rich import box
from rich.table import Table

from sociolect.common.errors import InputError
from sociolect.common.schemas import ESTIMATE
from sociolect.estimate.units import LESSON, Work

__all__ = ["caption", "compare_rules", "estimate_table", "render", "verdict"]

# scoring by SFAM, whichever rule does it
UNIT_REMEDIES = {"pair of": "set labeling.scorer: distilled", LESSON: "lower distillation.n_answers"}
# what else makes a rule cheaper
REMEDIES = {
    "describe_style": "lower description.n_answers, or set description.describer: stylometry",
    "train_scratch_lm": "lower scratch.lm.steps",
    "distil_student": "lower distillation.n_answers or distillation.max_epochs",
    "train_sfam": "set sfam.precision: bf16, or lower sfam.max_steps",
    "label_answers": "lower sampling.per_group",
    "tag_answers": "lower sampling.per_group",
    "extract_activations": "lower catalogue.max_attributes",
    "try_method": "lower sweep.questions_per_group, or name fewer steering.methods or sweep.alphas",
    "read_answers": "lower readings.answers_per_group",
    "generate_answers": "lower generation.questions_per_group or generation.samples",
    "measure_fluency": "lower generation.questions_per_group or generation.samples",
}


def estimate_table(work: Sequence[Work], rates: pl.DataFrame) -> pl.DataFrame:
    """Units times rates, plus the starts of the jobs: an ESTIMATE table.

    Args:
        work: counted units.
        rates: RATES; `imports` and `loading` are what every job pays once.

    Raises:
        InputError: a stage was not probed.
    """
    rate = dict(zip(rates["probe"], rates["rate"], strict=True))
    missing = sorted(({w.probe for w in work} | {"imports", "loading"}) - set(rate))
    if missing:
        raise InputError(f"the rates have no probe {missing[0]!r}; delete the rates and probe again")
    device = dict(zip(rates["probe"], rates["device"], strict=True))
    start = rate["imports"] + rate["loading"]
    rows = []
    for w in work:
        hours = (w.units * rate[w.probe] + w.jobs * start) / 3600
        gpus = 0 if device[w.probe] == "cpu" else w.gpus
        row = (w.rule, w.unit, w.bound, w.units, rate[w.probe], w.jobs, hours, hours * gpus, 0.0, device[w.probe])
        rows.append(row)
    frame = ESTIMATE.frame(rows)
    total = _sum(frame["hours"])
    return frame.with_columns(share=pl.col("hours") / total if total > 0 else pl.lit(0.0))


def compare_rules(estimate: pl.DataFrame, actual: dict[str, tuple[float, int]]) -> pl.DataFrame:
    """One row per estimated rule: rule, jobs, hours, actual_hours and actual_jobs (null before it ran), ratio.

    The ratio is actual over estimated hours, where all jobs have run.
    """
    rules = estimate.group_by("rule", maintain_order=True).agg(pl.col("jobs", "hours").sum())
    took = [actual.get(rule) for rule in rules["rule"]]
    return rules.with_columns(
        pl.Series("actual_hours", [None if t is None else t[0] for t in took], dtype=pl.Float64),
        pl.Series("actual_jobs", [None if t is None else t[1] for t in took], dtype=pl.Int64),
    ).with_columns(
        ratio=pl.when(pl.col("actual_jobs") >= pl.col("jobs")).then(pl.col("actual_hours") / pl.col("hours"))
    )


def verdict(estimate: pl.DataFrame, budget_hours: float) -> str:
    """Total against the budget; where it is over, what takes most, and what to change."""
    total = _sum(estimate["hours"])
    if total <= budget_hours:
        return f"within budget: {_hours(total)} of {budget_hours:g} h"
    worst = estimate.sort("hours", descending=True).row(0, named=True)
    by_unit = {unit: remedy for unit, remedy in UNIT_REMEDIES.items() if worst["unit"].startswith(unit)}
    remedy = next(iter(by_unit.values()), REMEDIES.get(worst["rule"], "do less of it"))
    return (
        f"OVER BUDGET: {_hours(total)} of {budget_hours:g} h. {worst['rule']} ({worst['unit']}) takes "
        f"{worst['share']:.0%} of it: {remedy}"
    )


def render(estimate: pl.DataFrame, actual: dict[str, tuple[float, int]], title: str) -> Table:
    """The table for the terminal; the columns of what the run took stand there once something has run."""
    ran = bool(set(actual) & set(estimate["rule"]))
    table = Table(title=title, title_justify="left", box=box.ASCII2, show_edge=False, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    table.add_column("unit")
    for name in (
        "units",
        "s per unit",
        "hours",
        "GPU hours",
        "share",
        *(("took h", "jobs", "took / est.") if ran else ()),
    ):
        table.add_column(name, justify="right", no_wrap=True)
    compared = {row["rule"]: row for row in compare_rules(estimate, actual).iter_rows(named=True)}
    for row in estimate.iter_rows(named=True):
        head = compared.pop(row["rule"], None)
        least = {"at most": "<= ", "about": "~ ", "exact": ""}[row["bound"]]
        cells = [row["rule"] if head else "", row["unit"], f"{least}{row['units']:,}", f"{row['rate']:.2g}"]
        cells += [_hours(row["hours"]), _hours(row["gpu_hours"]), f"{row['share']:.1%}"]
        table.add_row(*cells, *(_took(head) if ran else ()))
    table.add_section()
    sums = [_hours(_sum(estimate["hours"])), _hours(_sum(estimate["gpu_hours"])), "100.0%"]
    table.add_row("all of these", "", "", "", *sums, *(_took_all(estimate, actual) if ran else ()))
    others = {rule: took for rule, took in actual.items() if rule not in set(estimate["rule"])}
    if ran and others:
        hours, jobs = sum(h for h, _ in others.values()), sum(n for _, n in others.values())
        table.add_row("other rules", "not estimated", "", "", "", "", "", _hours(hours), str(jobs), "")
    return table


def caption(estimate: pl.DataFrame, provenance: dict[str, Any]) -> str:
    """Where the rates come from, what the hours are, and how long the run is with its jobs side by side.

    Args:
        estimate: ESTIMATE.
        provenance: of the estimate: threads, start_s, attributes and bound.
    """
    devices = ", ".join(sorted(set(estimate["device"])))
    rules = estimate.group_by("rule", maintain_order=True).agg(pl.col("hours", "jobs").sum())
    wall = _sum(rules["hours"] / rules["jobs"].clip(lower_bound=1))
    known = "the catalogue's" if provenance["bound"] == "exact" else "the most that the config allows"
    return (
        f"Rates probed on {devices} ({provenance['threads']} CPU threads). Hours are those of all jobs, "
        f"{provenance['start_s']:.1f} s for the start of each included. K = {provenance['attributes']} attributes, "
        f"{known}. Rule after rule, the jobs of each side by side: {_hours(wall)} h."
    )


def _took(head: dict[str, Any] | None) -> tuple[str, str, str]:
    if head is None:
        return "", "", ""
    if head["actual_jobs"] is None:
        return "-", f"0/{head['jobs']}", ""
    ratio = "" if head["ratio"] is None else f"{head['ratio']:.2f}"
    return _hours(head["actual_hours"]), f"{head['actual_jobs']}/{head['jobs']}", ratio


def _took_all(estimate: pl.DataFrame, actual: dict[str, tuple[float, int]]) -> tuple[str, str, str]:
    rules = compare_rules(estimate, actual)
    hours, jobs = _sum(rules["actual_hours"]), rules["actual_jobs"].sum()
    whole = rules["ratio"].null_count() == 0
    ratio = f"{hours / _sum(rules['hours']):.2f}" if whole else ""
    return _hours(hours), f"{jobs}/{rules['jobs'].sum()}", ratio


def _sum(values: pl.Series) -> float:
    return float(np.sum(values.drop_nulls().to_numpy()))


def _hours(value: float) -> str:
    """Three digits, however small."""
    if value >= 100 or value == 0:
        return f"{value:.0f}"
    return f"{value:.{min(4, max(0, 2 - math.floor(math.log10(value))))}f}"
