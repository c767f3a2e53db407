"""The report of a run: one HTML page without anything from the network.

Library side only: tables in, text out. The wording is in the template.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import jinja2
import numpy as np
import polars as pl
from markupsafe import Markup

from sociolect.common.artifacts import Schema
from sociolect.common.schemas import (
    ACCURACY,
    AGREEMENT,
    BY_JUDGE,
    CATALOGUE,
    CATALOGUE_FUNNEL,
    CHAIN,
    COMPARISON,
    CONTRASTS,
    GROUP_DISTANCES,
    GROUPS,
    LEFT_OUT,
    NEAREST,
    SAMPLING_FUNNEL,
    SFAM_STEPS,
    STABILITY,
    SWEEP,
    TOPIC,
)
from sociolect.corpus.left_out import shown_left_out
from sociolect.embedding.distinct import few_distinctive
from sociolect.embedding.findings import needed, topic_sentences
from sociolect.evaluation.figures import heat_map, rate_plot, steps_plot, sweep_plot
from sociolect.evaluation.judge_page import (
    AGREEMENT_HEADER,
    SHIFT_HEADER,
    agreement_rows,
    claim_of,
    judge_tables,
    shift_rows,
)
from sociolect.evaluation.renderings import DAMAGE_HEADER, HEADER, cells, damage_cells
from sociolect.evaluation.steering_figures import cost_plot, shift_plot
from sociolect.evaluation.templates import HtmlTable
from sociolect.generation.conditions import ROWS
from sociolect.settings.models import ModelsSettings, name_of

__all__ = ["PER_EXPERIMENT", "SHARED", "ExperimentTables", "RunTables", "model_names", "render_report"]


_PARTS = (
    *("comparison", "damage", "variants", "controls", "contrasts", "rates", "groups", "distances", "confusion"),
    *("nearest_human", "nearest_model", "sweep", "accuracy", "accuracy_all", "chain", "chain_all", "indistinct"),
    *("topic", "topic_sentences", "stability", "needed", "shift", "shift_table", "claim", "judges", "agreement"),
    *("why", "cost"),
)


# tables of an experiment, and of the run
PER_EXPERIMENT = {
    "comparison": COMPARISON,
    "controls": COMPARISON,
    "contrasts": CONTRASTS,
    "accuracy": ACCURACY,
    "topic": TOPIC,
    "distances": GROUP_DISTANCES,
    "sweep": SWEEP,
    "groups": GROUPS,
    "stability": STABILITY,
    "nearest": NEAREST,
    "chain": CHAIN,
    "judges": BY_JUDGE,
    "agreement": AGREEMENT,
    "judge_contrasts": CONTRASTS,
}
SHARED: dict[str, Schema] = {
    "catalogue": CATALOGUE,
    "funnel": CATALOGUE_FUNNEL,
    "sampling": SAMPLING_FUNNEL,
    "left_out": LEFT_OUT,
    "steps": SFAM_STEPS,
}


@dataclass(frozen=True)
class ExperimentTables:
    """What an experiment left behind; a table that is None or empty leaves its section out."""

    name: str
    fit: tuple[str, ...] = ()
    ask: str = ""
    comparison: pl.DataFrame | None = None
    controls: pl.DataFrame | None = None
    contrasts: pl.DataFrame | None = None
    accuracy: pl.DataFrame | None = None
    topic: pl.DataFrame | None = None
    distances: pl.DataFrame | None = None
    sweep: pl.DataFrame | None = None
    groups: pl.DataFrame | None = None
    stability: pl.DataFrame | None = None
    nearest: pl.DataFrame | None = None
    chain: pl.DataFrame | None = None
    judges: pl.DataFrame | None = None
    agreement: pl.DataFrame | None = None
    judge_contrasts: pl.DataFrame | None = None
    weights: dict[str, Any] | None = None
    choice: dict[str, Any] | None = None


@dataclass(frozen=True)
class RunTables:
    """What the experiments share."""

    run: str
    models: dict[str, str] = field(default_factory=dict)
    catalogue: pl.DataFrame | None = None
    funnel: pl.DataFrame | None = None
    sampling: pl.DataFrame | None = None
    left_out: pl.DataFrame | None = None
    steps: pl.DataFrame | None = None
    metrics: dict[str, Any] | None = None


def model_names(models: ModelsSettings | None) -> dict[str, str]:
    """The two models in words, where the settings name them."""
    if models is None:
        return {}
    return {name: name_of(getattr(models, name)) for name in ("sfam", "lm")}


def render_report(run: RunTables, experiments: list[ExperimentTables], page: jinja2.Template) -> str:
    """The page as text.

    Args:
        run: tables of the run; experiments: tables of each experiment, in the order of the page.
        page: its template.
    """
    names = {} if run.catalogue is None else dict(run.catalogue.select("attribute_id", "attribute").iter_rows())
    return page.render(
        run=run.run,
        facts=_facts(run, experiments),
        experiments=[_experiment(e, names) for e in experiments],
        sfam=_sfam(run.metrics),
        measured=(run.metrics or {}).get("scorer") == "measured",
        steps=_steps(run.steps),
        funnel=_funnel(run.funnel),
        sampling=_sampling(run.sampling),
        left_out=shown_left_out(run.left_out) if _some(run.left_out) else [],
    )


def _facts(run: RunTables, experiments: list[ExperimentTables]) -> list[tuple[str, str]]:
    facts = [("Models", ", ".join(f"{n}: {m}" for n, m in run.models.items()))] if run.models else []
    if run.catalogue is not None:
        facts.append(("Style attributes", str(run.catalogue.height)))
    for e in experiments:
        parts = [f"fitted on {', '.join(e.fit)}, asked {e.ask}"] if e.fit else []
        if _some(e.groups):
            parts.append(f"{e.groups.height} groups, {e.groups['n_answers'].sum()} train answers")
        if _some(e.comparison):
            parts.append(f"{e.comparison['n'].sum()} generations in the eight rows")
        facts.append((f"Experiment {e.name}", "; ".join(parts)))
    return facts


def _experiment(e: ExperimentTables, names: dict[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = dict.fromkeys(_PARTS)
    shown |= {"name": e.name}
    if _some(e.comparison):
        shown["comparison"] = HtmlTable(HEADER, cells(e.comparison))
        shown["damage"] = HtmlTable(DAMAGE_HEADER, damage_cells(e.comparison))
        shown["variants"] = _variants(e.comparison)
        shown["rates"] = _rates(e)
    if _some(e.controls):
        damage = [row[1:] for row in damage_cells(e.controls)]
        rows = [a + b[:5] for a, b in zip(cells(e.controls), damage, strict=True)]
        shown["controls"] = HtmlTable((*HEADER, *DAMAGE_HEADER[1:6]), rows)
    if _some(e.judges):
        shown |= _judges(e.judges, e.agreement, e.judge_contrasts)
    if _some(e.contrasts):
        shown["contrasts"] = _contrasts(e.contrasts)
    if _some(e.groups):
        shown["groups"] = _groups(e.groups, names, e.weights)
        shown["indistinct"] = few_distinctive(e.groups)
    if _some(e.distances):
        shown["distances"] = _square(e.distances, "group", "other", "distance", "", "", share=False)
    if _some(e.accuracy):
        confusion = e.accuracy.filter(
            pl.col("measure") == "confusion", pl.col("model") == "net", pl.col("level") == "leaf", part="test"
        )
        shown["confusion"] = _square(_widest(confusion), "group", "other", "value", "true group", "nearest group")
        shown["accuracy"] = _accuracy(_widest(e.accuracy.filter(part="test")))
        shown["accuracy_all"] = _accuracy(e.accuracy)
    if _some(e.chain):
        shown["chain"] = _chain(_widest(e.chain))
        shown["chain_all"] = _chain(e.chain)
    if _some(e.topic):
        shown["topic"], shown["topic_sentences"] = _topic(e.topic), topic_sentences(e.topic)
    if _some(e.stability):
        shown["stability"], shown["needed"] = _stability(e.stability), _needed(e.stability)
    if _some(e.nearest):
        for source in ("human", "model"):
            frame = e.nearest.filter(pl.col("source") == source)
            axes = ("question put to", "nearest group")
            shown[f"nearest_{source}"] = _square(frame, "question_group", "nearest", "share", *axes)
    if _some(e.sweep):
        shown["sweep"] = _image(sweep_plot(e.sweep), "Sweep of steering strength and layers on val")
        shown["cost"] = _image(cost_plot(e.sweep), "Style gained on val against the change of log perplexity")
    if e.choice:
        shown["why"] = _why(e.choice)
    return shown


def _judges(table: pl.DataFrame, agreement: pl.DataFrame | None, contrasts: pl.DataFrame | None) -> dict[str, Any]:
    """Style that moves and topic that stays, and every judge's rates."""
    shown: dict[str, Any] = {}
    if (table["targets"] == "cross").any():
        shown["shift"] = _image(shift_plot(table), "Style gained against topic kept, other groups' style")
        shown["shift_table"] = HtmlTable(SHIFT_HEADER, shift_rows(table))
        shown["claim"] = claim_of(table, contrasts) if contrasts is not None else None
    shown["judges"] = [(title, HtmlTable(header, rows)) for title, header, rows in judge_tables(table)]
    if _some(agreement):
        shown["agreement"] = HtmlTable(AGREEMENT_HEADER, agreement_rows(agreement))
    return shown


def _why(choice: dict[str, Any]) -> str:
    """The choice in words, and what the forecast was worth."""
    forecast = choice.get("forecast", {})
    rho, places = forecast.get("rank_correlation"), forecast.get("places", 0)
    worth = "not known" if rho is None else f"{rho:.2f}"
    return f"{choice['why']}. Rank correlation of the forecast with what came out, over {places} places: {worth}."


def _rates(e: ExperimentTables) -> Markup:
    frames = [f for f in (e.comparison, e.controls) if _some(f)]
    table = pl.concat([f.filter(~pl.col("condition").str.contains("cross targets", literal=True)) for f in frames])
    half = len(ROWS) // 2
    image = rate_plot(
        table["condition"].to_list(),
        table["hit_rate"].to_list(),
        table["hit_rate_low"].to_list(),
        table["hit_rate_high"].to_list(),
        table["topic_rate"].to_list(),
        chance=1 / e.groups.height if _some(e.groups) else None,
        split_at=[s for s in (half, 2 * half) if s < table.height],
    )
    return _image(image, f"Hit rates of the conditions, {e.name}")


def _variants(table: pl.DataFrame) -> HtmlTable:
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


def _contrasts(table: pl.DataFrame) -> HtmlTable:
    rows = []
    for r in table.iter_rows(named=True):
        difference, low, high = (f"{100 * r[name]:+.1f}" for name in ("difference", "low", "high"))
        names = [r["condition"], r["against"], r["measure"].replace("_", " ")]
        rows.append([*names, f"{difference} [{low}, {high}]", str(r["n_questions"])])
    return HtmlTable(("condition", "against", "measure", "difference in points", "questions"), rows)


def _groups(groups: pl.DataFrame, names: dict[str, str], weights: dict[str, Any] | None) -> HtmlTable:
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


def _accuracy(accuracy: pl.DataFrame) -> HtmlTable | None:
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


def _chain(chain: pl.DataFrame) -> HtmlTable:
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


def _topic(topic: pl.DataFrame) -> HtmlTable:
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


def _stability(stability: pl.DataFrame) -> HtmlTable:
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


def _needed(stability: pl.DataFrame) -> HtmlTable:
    rows = []
    units = stability["unit"].unique(maintain_order=True).to_list()
    for statistic in stability["statistic"].unique(maintain_order=True):
        sizes = [needed(stability, statistic, unit) for unit in units]
        rows.append([statistic.replace("_", " "), *(f"more than {m}" if n is None else str(n) for n, m in sizes)])
    return HtmlTable(("statistic", *(f"{unit} that a group needs" for unit in units)), rows)


def _sfam(metrics: dict[str, Any] | None) -> list[HtmlTable]:
    """Every slice of the metrics that has an F1, and the single numbers."""
    if metrics is None:
        return []
    slices: list[list[str]] = []
    single: list[list[str]] = []

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict) and "f1" in value:
            slices.append([name, *(_text(value.get(k)) for k in ("n", "n_positive", "f1", "auroc", "ece", "accuracy"))])
        elif isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{name}, {key}".lstrip(", ").replace("_", " "), inner)
        elif isinstance(value, int | float | str) or value is None:
            single.append([name, _text(value)])

    walk("", metrics)
    header = ("slice", "pairs", "positive", "F1", "AUROC", "ECE", "accuracy")
    tables = [HtmlTable(header, slices), HtmlTable(("measure", "value"), single)]
    return [table for table in tables if table.rows]


def _steps(steps: pl.DataFrame | None) -> Markup | None:
    return _image(steps_plot(steps), "AUROC on val over the steps of SFAM's training") if _some(steps) else None


def _funnel(funnel: pl.DataFrame | None) -> HtmlTable | None:
    if not _some(funnel):
        return None
    return HtmlTable(("rule", "rejected", "left", "example"), [[_text(v) for v in row] for row in funnel.iter_rows()])


def _sampling(sampling: pl.DataFrame | None) -> HtmlTable | None:
    if not _some(sampling):
        return None
    header = ("split", "group", "part", "step", "answers", "questions")
    return HtmlTable(header, [[_text(v) for v in row] for row in sampling.iter_rows()])


def _square(
    frame: pl.DataFrame, row: str, column: str, value: str, row_title: str, column_title: str, share: bool = True
) -> Markup | None:
    if frame.height == 0:
        return None
    names = sorted({*frame[row].to_list(), *frame[column].to_list()})
    number = {name: i for i, name in enumerate(names)}
    values = np.full((len(names), len(names)), np.nan if not share else 0.0)
    for a, b, x in frame.select(row, column, value).iter_rows():
        values[number[a], number[b]] = x
    return _image(heat_map(values, names, names, row_title, column_title, share), f"{value} by {row} and {column}")


def _widest(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows over all splits where there are such, else the first split's."""
    splits = frame["split"].unique(maintain_order=True).to_list()
    wanted = "all" if "all" in splits else splits[0] if splits else ""
    return frame.filter(pl.col("split") == wanted)


def _image(svg: str, alt: str) -> Markup:
    # as a data URI, so that ids of different figures cannot meet
    data = base64.b64encode(svg.encode()).decode()
    return Markup('<img alt="{}" src="data:image/svg+xml;base64,{}">').format(alt, data)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _some(frame: pl.DataFrame | None) -> TypeGuard[pl.DataFrame]:
    return frame is not None and frame.height > 0
