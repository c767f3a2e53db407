"""The report of a run: one HTML page without anything from the network.

Library side only: tables in, text out. The wording is in the templates.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup

from sociolect.corpus.left_out import shown_left_out
from sociolect.embedding.distinct import few_distinctive
from sociolect.embedding.findings import topic_sentences
from sociolect.evaluation.judge_page import (
    AGREEMENT_HEADER,
    SHIFT_HEADER,
    agreement_rows,
    claim_of,
    judge_tables,
    shift_rows,
)
from sociolect.evaluation.renderings import DAMAGE_HEADER, HEADER, cells, damage_cells
from sociolect.evaluation.templates import HtmlTable
from sociolect.report import sections
from sociolect.report.drawing import Picture
from sociolect.report.group_figures import widest
from sociolect.report.run_findings import Finding, findings_note
from sociolect.report.run_tables import ExperimentTables, RunTables, some

__all__ = ["render_report"]

_PARTS = (
    *("comparison", "damage", "variants", "controls", "contrasts", "groups", "accuracy", "accuracy_all"),
    *("chain", "chain_all", "indistinct", "topic", "topic_sentences", "stability", "needed"),
    *("shift_table", "claim", "judges", "agreement", "why"),
)


def render_report(
    run: RunTables,
    experiments: Sequence[ExperimentTables],
    findings: Sequence[Sequence[Finding]],
    pictures: Mapping[str, Mapping[str, Picture | None]],
    page: jinja2.Template,
) -> str:
    """The page as text.

    Args:
        run: tables of the run; experiments: tables of each experiment, in the order of the page.
        findings: the sentences on each experiment.
        pictures: of `pictures_of`.
        page: its template.
    """
    names = {} if run.catalogue is None else dict(run.catalogue.select("attribute_id", "attribute").iter_rows())
    measured = (run.metrics or {}).get("scorer") == "measured"
    return page.render(
        run=run.run,
        facts=_facts(run, experiments),
        experiments=[_experiment(e, names) for e in experiments],
        findings=[[{"about": f.about, "said": _code(f.said)} for f in found] for found in findings],
        note=_code(findings_note(run.confidence)),
        confidence=f"{100 * run.confidence:g}",
        pictures={name: {about: p and _shown(p) for about, p in found.items()} for name, found in pictures.items()},
        sfam=sections.sfam_tables(run.metrics),
        measured=measured,
        funnel=sections.funnel_table(run.funnel) if some(run.funnel) else None,
        sampling=sections.sampling_table(run.sampling) if some(run.sampling) else None,
        left_out=shown_left_out(run.left_out) if some(run.left_out) else [],
    )


def _facts(run: RunTables, experiments: Sequence[ExperimentTables]) -> list[tuple[str, str]]:
    facts = [("Models", ", ".join(f"{n}: {m}" for n, m in run.models.items()))] if run.models else []
    if run.catalogue is not None:
        facts.append(("Style attributes", str(run.catalogue.height)))
    for e in experiments:
        parts = [f"fitted on {', '.join(e.fit)}, asked {e.ask}"] if e.fit else []
        if some(e.groups):
            parts.append(f"{e.groups.height} groups, {e.groups['n_answers'].sum()} train answers")
        if some(e.comparison):
            parts.append(f"{e.comparison['n'].sum()} generations in the eight rows")
        facts.append((f"Experiment {e.name}", "; ".join(parts)))
    return facts


def _experiment(e: ExperimentTables, names: dict[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = dict.fromkeys(_PARTS)
    shown |= {"name": e.name}
    if some(e.comparison):
        shown["comparison"] = HtmlTable(HEADER, cells(e.comparison))
        shown["damage"] = HtmlTable(DAMAGE_HEADER, damage_cells(e.comparison))
        shown["variants"] = sections.variant_table(e.comparison)
    if some(e.controls):
        shown["controls"] = sections.controls_table(e.controls)
    if some(e.judges):
        shown |= _judges(e.judges, e.agreement, e.judge_contrasts)
    if some(e.contrasts):
        shown["contrasts"] = sections.contrast_table(e.contrasts)
    if some(e.groups):
        shown["groups"] = sections.group_table(e.groups, names, e.weights)
        shown["indistinct"] = few_distinctive(e.groups)
    if some(e.accuracy):
        shown["accuracy"] = sections.accuracy_table(widest(e.accuracy.filter(part="test")))
        shown["accuracy_all"] = sections.accuracy_table(e.accuracy)
    if some(e.chain):
        shown["chain"] = sections.chain_table(widest(e.chain))
        shown["chain_all"] = sections.chain_table(e.chain)
    if some(e.topic):
        shown["topic"], shown["topic_sentences"] = sections.topic_table(e.topic), topic_sentences(e.topic)
    if some(e.stability):
        shown["stability"] = sections.stability_table(e.stability)
        shown["needed"] = sections.needed_table(e.stability)
    if e.choice:
        shown["why"] = _why(e.choice)
    return shown


def _judges(table: pl.DataFrame, agreement: pl.DataFrame | None, contrasts: pl.DataFrame | None) -> dict[str, Any]:
    """Style that moves and topic that stays, and every judge's rates."""
    shown: dict[str, Any] = {}
    if (table["targets"] == "cross").any():
        shown["shift_table"] = HtmlTable(SHIFT_HEADER, shift_rows(table))
        shown["claim"] = claim_of(table, contrasts) if contrasts is not None else None
    shown["judges"] = [(title, HtmlTable(header, rows)) for title, header, rows in judge_tables(table)]
    if some(agreement):
        shown["agreement"] = HtmlTable(AGREEMENT_HEADER, agreement_rows(agreement))
    return shown


def _why(choice: dict[str, Any]) -> str:
    """The choice in words, and what the forecast was worth."""
    forecast = choice.get("forecast", {})
    rho, places = forecast.get("rank_correlation"), forecast.get("places", 0)
    worth = "not known" if rho is None else f"{rho:.2f}"
    return f"{choice['why']}. Rank correlation of the forecast with what came out, over {places} places: {worth}."


def _shown(picture: Picture) -> dict[str, Any]:
    # as a data URI, so that ids of different figures cannot meet
    data = base64.b64encode(picture.svg.encode()).decode()
    image = Markup('<img alt="{}" width="{}" src="data:image/svg+xml;base64,{}">').format(
        picture.title, picture.width, data
    )
    return {"image": image, "caption": picture.caption, "name": picture.name, "width": picture.width}


def _code(text: str) -> Markup:
    """Escaped, with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))
