"""Attributes gained, by hand, and how many of them were meant."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import vectors
from sociolect.evaluation.gained import share_meant, top_gained

NAMES = ("dots", "dashes", "commas", "colons")


def scores() -> pl.DataFrame:
    rows = [
        ("r1", "r1", "question", "a", "a", (0.5, 0.5, 0.5, 0.0)),
        ("r2", "r2", "question", "a", "a", (0.1, 0.5, 0.5, 0.0)),
        ("s1", "r1", "steered", "a", "a", (0.6, 0.5, 0.1, 0.5)),
        ("s2", "r2", "steered", "a", "a", (0.4, 0.5, 0.9, 0.1)),
        # neither another target nor another condition counts
        ("s3", "r1", "steered", "a", "b", (0.0, 1.0, 1.0, 1.0)),
        ("c1", "r1", "steered (random)", "a", "a", (0.0, 1.0, 0.0, 0.0)),
        ("r4", "r4", "question", "b", "b", (0.5, 0.5, 0.5, 0.5)),
        ("s4", "r4", "steered", "b", "b", (0.5, 0.4, 0.3, 0.2)),
    ]
    names = ("request_id", "reference_id", "condition", "question_group", "target")
    frame = pl.DataFrame([row[:5] for row in rows], schema=names, orient="row")
    return frame.with_columns(vectors(np.array([row[5] for row in rows]), "style"))


def test_the_largest_mean_rises_by_hand() -> None:
    # of a: dots .2, dashes 0, commas 0, colons .3; nothing of b rose
    assert top_gained(scores(), NAMES) == {"a": ["colons", "dots"], "b": []}
    assert top_gained(scores(), NAMES, k=1)["a"] == ["colons"]
    assert top_gained(scores(), NAMES, condition="steered (random)") == {"a": ["dashes"]}
    assert top_gained(scores().reverse(), NAMES) == top_gained(scores(), NAMES)


def test_the_share_is_of_five_or_of_as_many_as_were_meant() -> None:
    gained = {"a": ["colons", "dots"], "b": ["commas", "dots"]}
    # one of the two that were meant, and one of the one
    assert share_meant(gained, {"a": {"dots", "commas"}, "b": {"commas"}}) == pytest.approx((0.5 + 1) / 2)
    # of many that were meant, five count
    assert share_meant({"a": ["colons", "dots"]}, {"a": {"dots", *"123456"}}) == pytest.approx(1 / 5)
    assert share_meant({"a": ["colons", "dots"]}, {"a": {"dots", *"123456"}}, k=2) == pytest.approx(1 / 2)
    # a group for which nothing was meant says nothing
    assert share_meant(gained, {"a": {"colons", "dots"}, "b": set()}) == 1.0
    assert share_meant(gained, {}) is None
