"""Figures of the sweep: every cell, the guards, the chosen point, and what a method costs at its best places alone."""

from __future__ import annotations

import re
from collections import Counter

import polars as pl
from drawn import labels
from swept import ALPHAS, METHODS, sweep

from sociolect.report.sweep_figures import cost_plot, sweep_map


def stars(svg: str) -> list[str]:
    """Uses of a mark with ten corners."""
    corners = {name: path.count("L") + 1 for name, path in re.findall(r'<path id="(\w+)" d="([^"]+)"', svg)}
    return [name for name in re.findall(r'<use xlink:href="#(\w+)"', svg) if corners.get(name) == 10]


def test_the_map_has_each_place_and_strength_with_its_gain_in_points_and_marks_what_is_outside_a_guard() -> None:
    picture = sweep_map(sweep(), "main")
    assert picture is not None and "(n = 4 to 8 texts)" in picture.title and "points" in picture.title
    found = Counter(labels(picture.svg))
    # at block 1 the gain is alpha, at 1-2 half of it but for one that was tried on few
    assert found["+40"] == 2 and found["+20"] == 3 and found["+100"] == 1
    # beyond the guard of fluency for both methods at two places, beyond that of the topic for one at two
    assert found["+80 x"] == 2 and found["+40 x"] == 2 and found["+20 x"] == 1 and found["+100 x"] == 1
    assert all(found[name] == 1 for name in METHODS) and found["1-2"] == 2
    assert "Star: what the table uses" in picture.caption
    none = sweep().with_columns(chosen=pl.col("method") == "unsteered")
    unsteered = sweep_map(none, "main")
    assert unsteered is not None and "it was best not to steer" in unsteered.caption
    assert sweep_map(sweep().filter(method="unsteered"), "main") is None


def test_the_cost_of_each_method_is_drawn_by_its_best_places_alone() -> None:
    picture = cost_plot(sweep(), "main")
    found = Counter(labels(picture.svg))
    assert all(found[method] == 1 for method in METHODS) and "unsteered" not in found
    # of two places only the better is there, at each strength; one star, in the legend a mark of each method
    marks = re.findall(r'<use xlink:href="#(\w+)" x="([\d.]+)" y="([\d.]+)" style="fill: (#\w+)', picture.svg)
    assert len(marks) == len(METHODS) * len(ALPHAS) + len(METHODS) and len(stars(picture.svg)) == 1
    # open: outside the guard of fluency for both methods, and outside that of the topic for one
    assert sum(mark[3] == "#ffffff" for mark in marks) == len(METHODS) + 1
    assert picture.title.endswith("(n = 8 texts per mark)")


def test_the_chosen_setting_is_drawn_though_another_gained_more_at_its_strength() -> None:
    table = sweep().with_columns(gain=pl.when("chosen").then(pl.lit(0.1)).otherwise("gain"))
    assert len(stars(cost_plot(table, "main").svg)) == 1
