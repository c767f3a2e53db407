"""Figures of the effect: every condition and judge is there, with n; the order is that of the table."""

from __future__ import annotations

import re
from collections import Counter

import polars as pl
import reported
from drawn import labels

from made_tables import judge_rows
from sociolect.generation.conditions import ROWS
from sociolect.report.effect_figures import damage_plot, forest_plot, shift_plot

CONDITIONS = ["steered", "question+group", "steered (other group)", "question+examples"]


def shifts(targets: str = "cross") -> pl.DataFrame:
    found = []
    for number, condition in enumerate(["question", *CONDITIONS]):
        gain = None if condition == "question" else number / 10
        for judge, sees in (("sfam", "style"), ("ngrams", "style"), ("topic", "topic"), ("relevance", "question")):
            found.append(
                {"judge": judge, "sees": sees, "condition": condition, "gain": gain, "targets": targets,
                 "stay_gain": None if gain is None or sees == "question" else -gain / 4}
            )  # fmt: skip
    return judge_rows(*found)


def test_the_plane_of_style_and_topic_has_every_condition_by_number_and_name() -> None:
    picture = shift_plot(shifts(), "main")
    assert picture is not None and "(n = 10 texts per condition)" in picture.title
    found = labels(picture.svg)
    # in the order of the tables, row 1 left out
    ordered = ["question+group", "steered", "steered (other group)", "question+examples"]
    named = [f"{number} {condition}" for number, condition in enumerate(ordered, start=1)]
    assert [label for label in found if label in named] == named
    assert not any(label.endswith(" question") for label in found)
    assert all(str(number) in found for number in range(1, 5))
    fills = [fill for _, fill in re.findall(r'<use xlink:href="#(\w+)" [^>]*style="fill: (#\w+)', picture.svg)]
    # in the plane and again in the legend: filled are the two of the eight rows
    assert Counter(fills)["#ffffff"] == 2 * 2 and len(fills) == 2 * 4
    assert shift_plot(shifts().sample(fraction=1.0, shuffle=True, seed=1), "main") == picture
    assert shift_plot(shifts("own"), "main") is None


def test_the_forest_has_a_line_per_condition_and_a_mark_per_judge_and_kind_of_targets() -> None:
    both = pl.concat([shifts("own"), shifts()])
    picture = forest_plot(both, "main")
    assert picture is not None
    found = labels(picture.svg)
    ordered = ["question+group", "steered", "steered (other group)", "question+examples"]
    assert [label for label in found if label in CONDITIONS] == ordered
    assert found.count("(n = 10 texts per condition)") == 2
    assert found.count("rise against the bare question, points") == 2
    assert all(found.count(judge) == 1 for judge in ("sfam", "ngrams", "topic")) and "relevance" not in found
    # three judges, four conditions, two kinds of targets, and the legend
    assert len(re.findall(r"<use [^>]*style=\"fill: #(?:0072b2|d55e00|ffffff)", picture.svg)) == 3 * 4 * 2 + 3
    alone = forest_plot(shifts("own"), "main")
    assert alone is not None and labels(alone.svg).count("(n = 10 texts per condition)") == 1
    assert forest_plot(shifts("own").filter(condition="question"), "main") is None


def test_effect_and_damage_need_a_perplexity() -> None:
    e = reported.experiment()
    assert e.comparison is not None and e.contrasts is not None
    picture = damage_plot(e.comparison, e.contrasts, "main")
    assert picture is not None and picture.title == "Effect and damage on test, main (n = 10 texts per condition)"
    found = labels(picture.svg)
    assert all(f"{number} {name}" in found for number, name in enumerate(ROWS[1:], start=1))
    assert {"rise of the hit rate, points", "log perplexity minus row 1's, nats per token"} <= set(found)
    unknown = e.comparison.with_columns(log_perplexity=pl.lit(None, dtype=pl.Float64))
    assert damage_plot(unknown, e.contrasts, "main") is None
