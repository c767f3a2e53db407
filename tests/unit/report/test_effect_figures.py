"""Figures of the steering study: what is drawn is counted, and the same tables give the same bytes."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

import polars as pl
import pytest
from made_tables import judge_rows
from swept import ALPHAS, METHODS, sweep

from sociolect.evaluation.figures import sweep_plot
from sociolect.evaluation.steering_figures import cost_plot, shift_plot

CONDITIONS = ["steered", "question+group", "steered (other group)", "question+examples"]


def shifts() -> pl.DataFrame:
    found = []
    for number, condition in enumerate(["question", *CONDITIONS]):
        gain = None if condition == "question" else number / 10
        for judge, sees in (("sfam", "style"), ("ngrams", "style"), ("topic", "topic"), ("relevance", "question")):
            found.append(
                {"judge": judge, "sees": sees, "condition": condition, "gain": gain,
                 "stay_gain": None if gain is None or sees == "question" else -gain / 4}
            )  # fmt: skip
    return judge_rows(*found)


def labels(svg: str) -> list[str]:
    """Texts of a figure: they are drawn as paths, each after a comment that says what it is."""
    return re.findall(r"<!-- (.*?) -->", svg)


@pytest.mark.parametrize(("draw", "table"), [(shift_plot, shifts()), (cost_plot, sweep()), (sweep_plot, sweep())])
def test_a_figure_is_whole_and_the_same_from_the_same_table(draw: object, table: pl.DataFrame) -> None:
    assert callable(draw)
    svg = draw(table)
    assert ElementTree.fromstring(svg).tag.endswith("svg") and "dc:date" not in svg
    assert draw(table) == svg


def test_the_plane_of_style_and_topic_has_every_condition_by_number_and_name() -> None:
    found = labels(shift_plot(shifts()))
    # in the order of the tables, row 1 left out
    ordered = ["question+group", "steered", "steered (other group)", "question+examples"]
    named = [f"{number} {condition}" for number, condition in enumerate(ordered, start=1)]
    assert [label for label in found if label in named] == named
    assert not any(label.endswith(" question") for label in found)
    assert all(str(number) in found for number in range(1, 5))
    fills = [fill for _, fill in re.findall(r'<use xlink:href="#(\w+)" [^>]*style="fill: (#\w+)', shift_plot(shifts()))]
    # in the plane and again in the legend: filled are the two of the eight rows
    assert Counter(fills)["#ffffff"] == 2 * 2 and len(fills) == 2 * 4
    assert shift_plot(shifts().sample(fraction=1.0, shuffle=True, seed=1)) == shift_plot(shifts())


def test_the_cost_of_each_method_is_drawn_by_its_best_places_alone() -> None:
    svg = cost_plot(sweep())
    found = Counter(labels(svg))
    assert all(found[method] == 1 for method in METHODS) and "unsteered" not in found
    # of two places only the better is there, at each strength; one star
    marks = re.findall(r'<use xlink:href="#(\w+)" x="([\d.]+)" y="([\d.]+)" style="fill: (#\w+)', svg)
    assert len(marks) == len(METHODS) * len(ALPHAS)
    assert min(Counter(mark[0] for mark in marks).values()) == 1
    # open: outside the guard of fluency for both methods, and outside that of the topic for one
    assert sum(mark[3] == "#ffffff" for mark in marks) == len(METHODS) + 1
    # the more strength the more gain: what was tried on few questions is not drawn in its stead
    heights = [float(mark[2]) for mark in marks]
    assert all(a > b > c for a, b, c in (heights[:3], heights[3:]))
