"""Ceilings of judges whose accuracy is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sociolect.common.errors import InputError
from sociolect.judges.ceilings import ceiling_table
from sociolect.judges.text_judges import Judge

# 8 texts of a, 4 of b; c has none
GROUPS = ["a"] * 8 + ["b"] * 4
QUESTIONS = [f"q{i % 6}" for i in range(12)]
RIGHT = np.array([[1.0, 0.0, 0.0]] * 8 + [[0.0, 1.0, 0.0]] * 4)


def judge(name: str) -> Judge:
    return Judge(name, "style", ("a", "b", "c"), make_pipeline(None))


def rows(probabilities: np.ndarray, seed: int = 0) -> list[dict]:
    table = ceiling_table([judge("one")], {"one": probabilities}, GROUPS, QUESTIONS, 400, seed, 0.9)
    assert table.columns == ["judge", "sees", "group", "n", "accuracy", "macro", "low", "high", "chance"]
    assert table["group"].to_list() == [None, "a", "b", "c"]
    assert set(table["chance"]) == {1 / 3}
    return table.to_dicts()


def test_a_perfect_judge_is_always_right() -> None:
    both, a, b, c = rows(RIGHT)
    assert [row["n"] for row in (both, a, b, c)] == [12, 8, 4, 0]
    assert both["accuracy"] == both["macro"] == both["low"] == both["high"] == 1
    assert a["accuracy"] == b["low"] == 1 and a["macro"] is None
    assert c["accuracy"] is c["low"] is c["high"] is None


def test_a_constant_judge_is_right_about_one_group() -> None:
    # nothing is more probable than anything else: the first group
    both, a, b, _ = rows(np.full((12, 3), 1 / 3))
    assert both["accuracy"] == pytest.approx(8 / 12) and both["macro"] == 0.5
    assert (a["accuracy"], b["accuracy"], b["high"]) == (1, 0, 0)


def test_a_text_of_which_nothing_is_said_is_wrong() -> None:
    silent = RIGHT.copy()
    silent[[0, 1]] = np.nan
    both, a, b, _ = rows(silent)
    assert both["n"] == 12 and both["accuracy"] == pytest.approx(10 / 12)
    assert a["accuracy"] == 0.75 and b["accuracy"] == 1 and both["macro"] == 0.875
    assert a["low"] < 0.75 < a["high"] and both["low"] < 0.875 < both["high"]


def test_intervals_come_from_questions_that_are_drawn_once_for_all_judges() -> None:
    noisy = RIGHT[::-1]
    order = np.random.default_rng(1).permutation(12)
    found = {"one": noisy, "two": noisy}
    table = ceiling_table([judge("one"), judge("two")], found, GROUPS, QUESTIONS, 400, 7, 0.9)
    one, two = (part.drop("judge") for part in table.partition_by("judge", maintain_order=True))
    assert one.equals(two)
    permuted = ceiling_table(
        [judge("one")],
        {"one": noisy[order]},
        [GROUPS[i] for i in order],
        [QUESTIONS[i] for i in order],
        400,
        7,
        0.9,
    )
    assert permuted.drop("judge").equals(one)


def test_strange_groups_and_no_texts_are_errors() -> None:
    with pytest.raises(InputError, match="'x'"):
        ceiling_table([judge("one")], {"one": RIGHT[:1]}, ["x"], ["q"], 10, 0, 0.9)
    with pytest.raises(InputError, match="at least one"):
        ceiling_table([judge("one")], {"one": RIGHT[:0]}, [], [], 10, 0, 0.9)
