"""The report's tables as text, section by section."""

from __future__ import annotations

from typing import Any

import polars as pl

from sociolect.embedding.findings import needed
from sociolect.evaluation.renderings import DAMAGE_HEADER, HEADER, cells, damage_cells
from sociolect.evaluation.templates import HtmlTable
from sociolect.report.run_tables import leaves_of

__all__ = [
    "accuracy_table",
    "chain_table",
    "contrast_table",
    "controls_table",
    "funnel_table",
    "group_table",
    "needed_table",
    "sampling_table",
    "sfam_tables",
    "stability_table",
    "topic_table",
    "variant_table",
]


def controls_table(controls: pl.DataFrame) -> HtmlTable:
    """What stands below the line, with its first costs beside it."""
    damage = [row[1:] for row in damage_cells(controls)]
    rows = [a + b[:5] for a, b in zip(cells(controls), damage, strict=True)]
    return HtmlTable((*HEADER, *DAMAGE_HEADER[1:6]), rows)


def variant_table(table: pl.DataFrame) -> HtmlTable:
    """Variants of the metrics, other references, tests and counts of edge cases of COMPARISON."""
    header = {
        "condition": "condition",
        "n_eligible": "eligible",
        "eligible_change_rate": "correct, of the eligible",
        "losses": "losses",
        "net_changes": "net",
        "direction_centred": "direction, centered cos",
        "direction_to_target": "direction, to-target cos",
        "rank1_rate": "target ranked first",
        "matched_change_rate": "change (matched)",
        "matched_correct_rate": "correct (matched)",
        "topic_change_rate": "change (topic probe)",
        "p_holm": "p (Holm)",
        "n_zero": "no direction",
        "n_ties": "ties",
        "n_truncated": "cut off",
    }
    rows = [[_text(row[c]) for c in header] for row in table.iter_rows(named=True)]
    return HtmlTable(tuple(header.values()), rows)


def contrast_table(table: pl.DataFrame) -> HtmlTable:
    """CONTRASTS as text, in points."""
    rows = []
    for r in table.iter_rows(named=True):
        difference, low, high = (f"{100 * r[name]:+.1f}" for name in ("difference", "low", "high"))
        names = [r["condition"], r["against"], r["measure"].replace("_", " ")]
        rows.append([*names, f"{difference} [{low}, {high}]", str(r["n_questions"])])
    return HtmlTable(("condition", "against", "measure", "difference in points", "questions"), rows)


def group_table(groups: pl.DataFrame, names: dict[str, str], weights: dict[str, Any] | None) -> HtmlTable:
    """GROUPS with the names of its distinctive attributes, and how many attributes weigh in its vector."""
    rows = []
    methods = (weights or {}).get("groups", {})
    for row in groups.sort("group").iter_rows(named=True):
        own = zip(row["distinctive"], row["distinctive_gap"], row["distinctive_frequency"], strict=True)
        listed = "; ".join(f"{names.get(a, a)} (+{gap:.2f}, {100 * often:.0f} %)" for a, gap, often in own) or "n/a"
        # of the weights over all attributes, or of the one method that there is
        effective = next((f"{method['n_eff']:.1f}" for method in methods.get(row["group"], {}).values()), "-")
        counts = [str(row["n_answers"]), str(row["n_authors"]), effective]
        rows.append([row["group"], *counts, listed])
    header = ("group", "train answers", "train authors", "effective attributes", "distinctive attributes")
    return HtmlTable(header, rows)


def accuracy_table(accuracy: pl.DataFrame) -> HtmlTable | None:
    """ACCURACY without pairs and confusion, a row per model; None where there is none."""
    plain = accuracy.filter(pl.col("group").is_null(), ~pl.col("measure").is_in(["pair", "confusion"]))
    if plain.height == 0:
        return None
    measures = plain["measure"].unique(maintain_order=True).to_list()
    keys = ("model", "level", "split", "part")
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for row in plain.iter_rows(named=True):
        chance = "" if row["chance"] is None else f" (chance {100 * row['chance']:.0f})"
        found.setdefault(tuple(row[k] for k in keys), {})[row["measure"]] = f"{100 * row['value']:.1f} %{chance}"
    rows = [[*key, *(values.get(m, "-") for m in measures)] for key, values in found.items()]
    return HtmlTable((*keys, *(m.replace("_", " ") for m in measures)), rows)


def chain_table(chain: pl.DataFrame) -> HtmlTable:
    """CHAIN as text, in points."""

    def points(row: dict[str, Any], *names: str) -> str:
        if row[names[0]] is None:
            return "-"
        value, low, high = (f"{100 * row[name]:.1f}" for name in names)
        return f"{value} [{low}, {high}]"

    rows = [
        [
            *(str(row[k]) for k in ("stage", "answers", "split", "part", "width", "n")),
            points(row, "value", "low", "high"),
            points(row, "lost", "lost_low", "lost_high"),
        ]
        for row in chain.iter_rows(named=True)
    ]
    header = ("stage", "of", "split", "part", "numbers per answer", "answers", "pairwise accuracy, %", "lost, points")
    return HtmlTable(header, rows)


def topic_table(topic: pl.DataFrame) -> HtmlTable:
    """A row per model and probe; what cannot be measured is n/a, with the reason last."""
    measures = {
        "accuracy": "all of train",
        "shared": "questions that several groups answered",
        "plain": "fewer answers",
        "unseen": "as many, unseen topics",
        "drop": "drop in points",
    }
    rows = []
    for row in topic.iter_rows(named=True):
        figures = [_interval(row, name, 100, "{:+.1f}" if name == "drop" else "{:.1f} %") for name in measures]
        rows.append([row["model"], *figures, _interval(row, "kept", 1, "{:.2f}"), row["note"] or ""])
    return HtmlTable(("model", *measures.values(), "share kept", "note"), rows)


def _interval(row: dict[str, Any], name: str, scale: float, form: str) -> str:
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if value is None:
        return "n/a"
    bare = form.replace(" %", "")
    return f"{form.format(scale * value)} [{bare.format(scale * low)}, {bare.format(scale * high)}]"


def stability_table(stability: pl.DataFrame) -> HtmlTable:
    """Bootstrap of authors: ratio by group and statistic."""
    whole = stability.filter(pl.col("whole"), pl.col("unit") == "authors")
    statistics = whole["statistic"].unique(maintain_order=True).to_list()
    rows = []
    for group in [*sorted(whole["group"].drop_nulls().unique()), None]:
        own = whole.filter(pl.col("group").eq_missing(pl.lit(group)))
        ratio = dict(own.select("statistic", "ratio").iter_rows())
        size = "" if group is None else str(own["size"][0])
        rows.append(["mean" if group is None else group, size, *(_text(ratio[s]) for s in statistics)])
    return HtmlTable(("group", "train authors", *(s.replace("_", " ") for s in statistics)), rows)


def needed_table(stability: pl.DataFrame) -> HtmlTable:
    """How many authors and answers fix a group embedding, by statistic."""
    rows = []
    units = stability["unit"].unique(maintain_order=True).to_list()
    for statistic in stability["statistic"].unique(maintain_order=True):
        sizes = [needed(stability, statistic, unit) for unit in units]
        rows.append([statistic.replace("_", " "), *(f"more than {m}" if n is None else str(n) for n, m in sizes)])
    return HtmlTable(("statistic", *(f"{unit} that a group needs" for unit in units)), rows)


def sfam_tables(metrics: dict[str, Any] | None) -> list[HtmlTable]:
    """Every slice of the metrics that has an F1, and the single numbers."""
    leaves = list(leaves_of(metrics or {}))
    keys = ("n", "n_positive", "f1", "auroc", "ece", "accuracy")
    slices = [[name, *(_text(value.get(k)) for k in keys)] for name, value in leaves if isinstance(value, dict)]
    single = [[name, _text(value)] for name, value in leaves if not isinstance(value, dict | list)]
    header = ("slice", "pairs", "positive", "F1", "AUROC", "ECE", "accuracy")
    tables = [HtmlTable(header, slices), HtmlTable(("measure", "value"), single)]
    return [table for table in tables if table.rows]


def funnel_table(funnel: pl.DataFrame) -> HtmlTable:
    """CATALOGUE_FUNNEL as text."""
    return HtmlTable(("rule", "rejected", "left", "example"), [[_text(v) for v in row] for row in funnel.iter_rows()])


def sampling_table(sampling: pl.DataFrame) -> HtmlTable:
    """SAMPLING_FUNNEL as text."""
    header = ("split", "group", "part", "step", "answers", "questions")
    return HtmlTable(header, [[_text(v) for v in row] for row in sampling.iter_rows()])


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
