"""The report: complete, self-contained, reproducible, and tolerant of what is not there."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sociolect import schemas
from sociolect.conditions import CONDITIONS, CONTROLS
from sociolect.figures import heat_map, rate_plot, sweep_plot
from sociolect.report import ExperimentTables, RunTables, render_report

TEMPLATE = (Path(__file__).parents[2] / "workflow" / "report" / "report.html.j2").read_text(encoding="utf-8")


def comparison(conditions: tuple[str, ...]) -> pl.DataFrame:
    schema = {name: column.dtype for name, column in schemas.COMPARISON.columns.items()}
    counts = {"n_eligible": 6, "n_zero": 0, "n_ties": 0, "n_empty": 1, "n_truncated": 0}
    rates = {"hit_rate": 0.4, "hit_rate_low": 0.2, "hit_rate_high": 0.6, "judge_hit_rate": 0.5, "eos_rate": 1.0}
    rows = [dict.fromkeys(schema) | {"condition": c, "n": 10} | counts | rates for c in conditions]
    return pl.DataFrame(rows, schema=schema)


def sweep() -> pl.DataFrame:
    rows = [
        ("all", layers, alpha, 8, 0.5, alpha, 2 + alpha, 0.1, alpha < 0.5, layers == [1] and alpha == 0.4)
        for layers in ([1], [1, 2])
        for alpha in (0.0, 0.4, 0.8)
    ]
    return pl.DataFrame(rows, schema={n: c.dtype for n, c in schemas.SWEEP.columns.items()}, orient="row")


@pytest.fixture
def experiment() -> ExperimentTables:
    distances = pl.DataFrame(
        [("a<b>", "c", 1.5, 1.0, 1.5, 0.8, False), ("c", "a<b>", 1.5, 1.0, 1.5, 0.8, False)],
        schema={n: c.dtype for n, c in schemas.GROUP_DISTANCES.columns.items()},
        orient="row",
    )
    accuracy = pl.DataFrame(
        [("net", "leaf", "all", "test", "nearest_group", None, None, 0.75, 0.5, 40)],
        schema={n: c.dtype for n, c in schemas.ACCURACY.columns.items()},
        orient="row",
    )
    return ExperimentTables(
        "main",
        ("single",),
        "askx",
        comparison=comparison(CONDITIONS),
        controls=comparison(CONTROLS),
        distances=distances,
        accuracy=accuracy,
        sweep=sweep(),
    )


def test_page_is_complete_self_contained_and_reproducible(experiment: ExperimentTables) -> None:
    metrics = {"threshold": 0.5, "val": {"n": 9, "n_positive": 4, "f1": 0.8, "auroc": None}}
    run = RunTables("demo", {"lm": "scratch"}, metrics=metrics)
    page = render_report(run, [experiment], TEMPLATE)
    assert page == render_report(run, [experiment], TEMPLATE)
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page) and "http" not in page and "@import" not in page
    for text in ("Experiment main", "steered+group+attributes", "question (other seed)", "75.0 %", "lm: scratch"):
        assert text in page, text
    assert page.count("<img") == 3  # rates, sweep, distances
    assert "<td>0.800</td>" in page


def test_pictures_are_svg_without_dates(experiment: ExperimentTables) -> None:
    page = render_report(RunTables("demo"), [experiment], TEMPLATE)
    for data in re.findall(r"base64,([^\"]+)", page):
        svg = base64.b64decode(data).decode()
        assert svg.startswith("<svg") and "dc:date" not in svg


def test_what_is_missing_is_left_out() -> None:
    page = render_report(RunTables("demo"), [ExperimentTables("main")], TEMPLATE)
    assert "Experiment main" in page and "<table" not in page and "<img" not in page and "None" not in page


def test_names_are_escaped(experiment: ExperimentTables) -> None:
    page = render_report(RunTables("<i>x</i>"), [experiment], TEMPLATE)
    assert "<i>x" not in page and "&lt;i&gt;x" in page


def test_figures_take_rows_without_a_value() -> None:
    assert rate_plot(["x", "y"], [None, 0.5], [None, 0.4], [None, 0.6], [None, None], None).startswith("<svg")
    assert heat_map(np.array([[np.nan, 0.0]]), ["a"], ["a", "b"], "", "").startswith("<svg")
    assert sweep_plot(sweep()).count("<svg") == 1
