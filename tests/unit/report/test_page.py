"""The report: complete, self-contained, reproducible, and tolerant of what is not there."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import reported
from swept import sweep

from browsed import browsed
from conftest import ROOT
from made_tables import judge_rows
from sociolect.common import schemas
from sociolect.evaluation.renderings import HEADER
from sociolect.evaluation.templates import read_page
from sociolect.generation.conditions import CONTROLS, ROWS
from sociolect.report.gallery import pictures_of
from sociolect.report.page import render_report
from sociolect.report.run_findings import findings_of
from sociolect.report.run_tables import ExperimentTables, RunTables

PAGES = ROOT / "workflow" / "report"
TEMPLATE = read_page(
    [PAGES / f"{name}.html.j2" for name in ("report", "report_style", "report_experiment", "figure", "table")]
)


def page_of(run: RunTables, *experiments: ExperimentTables) -> str:
    """The page, as the program makes it."""
    findings = [findings_of(run, e) for e in experiments]
    return render_report(run, experiments, findings, pictures_of(run, experiments), TEMPLATE)


@pytest.fixture
def experiment() -> ExperimentTables:
    distances = schemas.GROUP_DISTANCES.frame(
        [("a<b>", "c", 1.5, 1.0, 1.5, 0.8, False), ("c", "a<b>", 1.5, 1.0, 1.5, 0.8, False)]
    )
    accuracy = schemas.ACCURACY.frame([("net", "leaf", "all", "test", "nearest_group", None, None, 0.75, 0.5, 40)])
    topic = {"model": "tfidf", "kind": "model", "n": 40, "n_shared": 0, "n_clusters": 9, "may_be_topic": True}
    topic |= {"plain": 0.9, "plain_low": 0.85, "plain_high": 0.95, "kept": 0.5, "kept_low": 0.4, "kept_high": 0.6}
    note = "no test question was answered by several groups"
    stability = [("median", "authors", g, 20, g is not None, 0.25, 0.3, False) for g in ("a<b>", "c", None)]
    whole = ("median", "authors", None, 20, True, 0.25, 0.3, False)
    return ExperimentTables(
        "main",
        ("single",),
        "askx",
        comparison=reported.comparison({"condition": "question", "n_empty": 1}),
        controls=reported.comparison(conditions=CONTROLS),
        distances=distances,
        accuracy=accuracy,
        topic=schemas.TOPIC.frame([dict.fromkeys(schemas.TOPIC.columns) | topic | {"note": note}]),
        stability=schemas.STABILITY.frame([*stability, whole]),
        sweep=sweep(),
    )


def test_page_is_complete_self_contained_and_reproducible(experiment: ExperimentTables) -> None:
    metrics = {"threshold": 0.5, "val": {"n": 9, "n_positive": 4, "f1": 0.8, "auroc": None}}
    run = RunTables("demo", {"lm": "scratch"}, metrics=metrics)
    page = page_of(run, experiment)
    assert page == page_of(run, experiment)
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page) and "http" not in page and "@import" not in page
    for text in ("Experiment main", "steered+group+attributes", "question (other seed)", "75.0 %", "lm: scratch"):
        assert text in page, text
    assert page.count("<img") == 3  # sweep, cost, distances
    assert "<td>0.800</td>" in page
    assert "tfidf keeps 0.50 [0.40, 0.60] of its accuracy above chance on unseen topics: it may be topic." in page
    # a figure with its interval, one that is not there with its reason, and a size that was not reached
    assert "<td>90.0 % [85.0, 95.0]</td>" in page and "<td>n/a</td>" in page and "by several groups</td>" in page
    assert "<td>more than 20</td>" in page and "<td>0.250</td>" in page


def test_what_judges_see_and_why_a_setting_was_chosen_are_shown(experiment: ExperimentTables) -> None:
    rows = [
        {
            "judge": "sfam",
            "sees": "style",
            "gain": 0.25,
            "rate": 0.5,
            "ceiling": 0.75,
            "on_topic_gain": 0.5,
            "on_topic_n": 6,
        },
        {"judge": "topic", "sees": "topic", "gain": 0.25, "stay_gain": -0.01},
        {"judge": "relevance", "sees": "question", "gain": 0.02},
    ]
    cross, own = judge_rows(*rows), judge_rows(*(row | {"targets": "own"} for row in rows))
    agreement = schemas.AGREEMENT.frame([("sfam", "topic", "cross", 4, 0.75, 0.5)])
    choice = {"why": "all at blocks 1", "forecast": {"rank_correlation": 0.625, "places": 9}}

    def page(**tables: object) -> str:
        return page_of(RunTables("demo"), replace(experiment, **tables))  # type: ignore[arg-type]

    both = page(
        judges=pl.concat([own, cross]), agreement=agreement, choice=choice, judge_contrasts=schemas.CONTRASTS.empty()
    )
    claim = (
        "<strong>It is not shown that steering moves texts to the right group: no more than steered (random) by sfam; "
    )
    assert claim in both and both.count("<img") == 5
    assert "<h4>sfam, own targets (sees style, ceiling 75.0 %)</h4>" in both
    assert "<h4>topic, cross targets (sees topic)</h4>" in both
    assert "+25.0 (sfam +25.0)" in both and "<td>75 %</td><td>0.50</td>" in both
    assert "<p>all at blocks 1. Rank correlation of the forecast with what came out, over 9 places: 0.62.</p>" in both
    # without other groups' style there is nothing to claim
    alone = page(judges=own, choice={"why": "not to steer", "forecast": {"rank_correlation": None, "places": 1}})
    assert "Steering moves texts" not in alone and "Style moves, topic stays?" not in alone and alone.count("<img") == 4
    assert "<h4>sfam, own targets" in alone and "over 1 places: not known." in alone
    assert "None" not in both + alone


def test_below_the_line_the_first_costs_stand_beside_the_metrics(experiment: ExperimentTables) -> None:
    page = page_of(RunTables("demo"), experiment)
    table = page.partition("<h3>Below the line</h3>")[2].partition("</table>")[0]
    header = re.findall(r'<th scope="col">([^<]*)', table)
    assert header == [*HEADER, "hit rate", "moved away", "topic stays", "relevance", "log perplexity"]
    rows = [re.findall(r"<t[hd][^>]*>([^<]*)", row) for row in table.splitlines() if row.startswith("<tr><th scope=")]
    assert [row[0] for row in rows if row[0] in CONTROLS] == list(CONTROLS)
    assert [row[5:8] for row in rows if row[0] in CONTROLS] == [["40.0 %", "12.5 %", "50.0 %"]] * len(CONTROLS)


def test_pictures_are_svg_without_dates(experiment: ExperimentTables) -> None:
    page = page_of(RunTables("demo"), experiment)
    for data in re.findall(r"base64,([^\"]+)", page):
        svg = base64.b64decode(data).decode()
        assert svg.startswith("<svg") and "dc:date" not in svg


def test_what_is_missing_is_left_out() -> None:
    page = page_of(RunTables("demo"), ExperimentTables("main"))
    assert "Experiment main" in page and "<table" not in page and "<img" not in page and "None" not in page


def test_names_are_escaped(experiment: ExperimentTables) -> None:
    page = page_of(RunTables("<i>x</i>"), experiment)
    assert "<i>x" not in page and "&lt;i&gt;x" in page


def test_chain_steps_and_groups_without_attributes_of_their_own_are_shown() -> None:
    chain = schemas.CHAIN.frame(
        [
            ("raw measures", "all", "all", "test", 0.9, 0.85, 0.95, None, None, None, 40, 101),
            ("SFAM scores", "all", "all", "test", 0.7, 0.6, 0.8, 0.2, 0.1, 0.3, 40, 50),
        ]
    )
    vector = [0.5]
    groups = pl.DataFrame(
        {"group": ["a", "b"], "n_answers": [3, 4], "n_authors": [2, 2], "style": [vector] * 2, "distinctive": [[], []],
         "distinctive_gap": [[], []], "distinctive_frequency": [[], []]}
    )  # fmt: skip
    steps = schemas.SFAM_STEPS.frame([(10, 0.7, 0.5), (20, 0.6, 0.65)])
    page = page_of(RunTables("demo", steps=steps), ExperimentTables("main", chain=chain, groups=groups))
    assert "Where the groups are lost" in page and "70.0 [60.0, 80.0]" in page and "20.0 [10.0, 30.0]" in page
    assert "2 of 2 groups have no distinctive attribute (a, b)" in page
    assert page.count("<img") == 1  # the steps of the training
    measured = RunTables("demo", metrics={"scorer": "measured", "threshold": 0.5})
    assert "Style scores (calibrated measures)" in page_of(measured, ExperimentTables("main"))


def test_the_first_screen_says_what_was_found_of_each_experiment() -> None:
    run, both = reported.run(), [reported.experiment("one"), reported.experiment("two")]
    undrawn = pictures_of(RunTables("demo"), [ExperimentTables("one"), ExperimentTables("two")])
    page = render_report(run, both, [findings_of(run, e) for e in both], undrawn, TEMPLATE)
    first = page.partition("<nav>")[0]
    assert first.count("<li><strong>") == 10 and "<h2>What was found: two</h2>" in first
    assert "<li><strong>Effect.</strong> <code>question+group</code> has 40.0 % of its 10 texts" in first
    assert "no attribute of its own: c" in first and "95 % intervals" in first and "a&lt;b&gt; and c" in first


SIZES = """
<script>
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, body = page.scrollingElement;
    page.querySelectorAll("details").forEach(one => { one.open = true });
    const rows = [...page.querySelectorAll("tbody tr, figure")], boxes = rows.map(row => row.getBoundingClientRect());
    return {
      wide: body.scrollWidth <= frame.clientWidth,
      rows: page.querySelectorAll(".eight tbody tr").length,
      seen: boxes.every(box => box.height > 8 && box.left >= 0 && box.left < frame.clientWidth),
      scrolled: [...page.querySelectorAll(".scroll")].filter(one => one.scrollWidth > one.clientWidth).length,
      outside: [...page.querySelectorAll(".scroll, p, li, dd, nav")].filter(
        one => one.getBoundingClientRect().right > frame.clientWidth).length,
      drawn: [...page.images].every(image => image.complete && image.naturalWidth > 300),
    };
  });
  document.title = JSON.stringify(found);
});
</script>
"""


def test_nothing_is_wider_than_a_page_and_on_a_phone_tables_scroll_by_themselves(tmp_path: Path) -> None:
    page = page_of(reported.run(), reported.experiment())
    frames = "".join(f'<iframe width="{w}" height="900" srcdoc="{html.escape(page)}"></iframe>' for w in (1400, 400))
    dom = browsed(f"<!doctype html><body>{frames}{SIZES}</body>", tmp_path)
    title = re.search(r"<title>(.*?)</title>", dom)
    assert title, dom
    desk, phone = json.loads(title[1])
    for found in (desk, phone):
        assert found["wide"] and found["seen"] and found["drawn"] and found["outside"] == 0, found
        # the eight rows, three times: the table, its costs, its variants
        assert found["rows"] == 3 * len(ROWS), found
    assert phone["scrolled"] > 5


def test_the_level_of_the_intervals_is_that_of_the_run() -> None:
    page = page_of(replace(reported.run(), confidence=0.9), reported.experiment())
    assert "means with 90 % intervals" in page and "brackets hold 90 % intervals" in page and "95 %" not in page
