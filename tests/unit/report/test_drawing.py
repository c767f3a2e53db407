"""What all figures share: files that are the same from the same tables, numbers that cover nothing, cells to read."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from reported import experiment, run

from conftest import ROOT
from sociolect.report.drawing import heat_map, number_points, span_of, svg_text
from sociolect.report.gallery import pictures_of

HASHES = """
import hashlib, sys
sys.path[:0] = ["workflow/scripts", "tests", "tests/unit/report"]
import reported
from sociolect.report.gallery import pictures_of
for of in pictures_of(reported.run(), [reported.experiment()]).values():
    for picture in of.values():
        if picture:
            print(picture.name, hashlib.md5(picture.svg.encode()).hexdigest(), hashlib.md5(picture.pdf).hexdigest())
"""


def test_another_process_draws_the_same_bytes() -> None:
    done = subprocess.run([sys.executable, "-c", HASHES], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    here = [picture for of in pictures_of(run(), [experiment()]).values() for picture in of.values() if picture]
    hashes = [[p.name, *(hashlib.md5(data).hexdigest() for data in (p.svg.encode(), p.pdf))] for p in here]
    assert len(here) > 15 and done.stdout.splitlines() == [" ".join(words) for words in hashes]


def test_numbers_of_points_in_one_place_cover_neither_each_other_nor_the_points() -> None:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.add_subplot()
    points = [(0.5, 0.5)] * 4 + [(0.0, 0.0), (1.0, 1.0)]
    axes.plot(*np.array(points).T, "o")
    number_points(axes, points)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == list("123456")
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    assert not any(box.contains(*axes.transData.transform(point)) for box in boxes for point in points)


def test_a_cell_without_a_value_stays_empty_and_words_can_be_read_on_their_cell() -> None:
    axes = Figure().add_subplot()
    heat_map(axes, np.array([[np.nan, 0.0, 1.0]]), ["a"], ["a", "b", "c"], "", "", share=True)
    assert [(text.get_text(), text.get_color()) for text in axes.texts] == [("0", "black"), ("100", "white")]


@pytest.mark.parametrize(("numbers", "said"), [([1500, 20], "20 to 1,500"), ([7, 7], "7")])
def test_a_span_is_one_number_where_all_are_equal(numbers: list[int], said: str) -> None:
    assert span_of(pl.Series(numbers)) == said


def test_svg_has_no_date() -> None:
    assert "dc:date" not in svg_text(Figure()) and svg_text(Figure()).startswith("<svg")
