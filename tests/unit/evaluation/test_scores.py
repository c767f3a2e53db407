"""Scores: each generation is paired with its references; nearest groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import check_table, matrix
from sociolect.common.errors import InputError
from sociolect.common.schemas import NEAREST, SCORES
from sociolect.evaluation.scores import Centers, nearest_table, score_table

CENTERS = np.array([[10.0, 0.0], [0.0, 10.0], [-10.0, 0.0]])  # groups 0, 1, 2
PLACES = {"a": (9.0, 0.0), "b": (0.0, 9.0), "c": (-9.0, 0.0)}
COLUMNS = [
    *("request_id", "question_id", "question_group", "target", "condition", "sample", "prompt", "seed", "method"),
    *("text", "n_tokens", "finish_reason"),
]
GROUPS = Centers(("a", "b", "c"), CENTERS, "euclidean")


def generations(rows: Sequence[tuple[str, str, str, str, int, str]]) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows (condition, question, question group, target, sample, place); the place "" is an empty text."""
    frame = pl.DataFrame(
        [
            (f"{c}|{q}|{t}|{s}", q, g, t, c, s, "prompt", 1, None, f"word {p}" if p else " ", 2, "stop")
            for c, q, g, t, s, p in rows
        ],
        schema=COLUMNS,
        orient="row",
    ).with_columns(pl.col("method").cast(pl.String))
    return frame, np.array([PLACES.get(row[5], (0.1, 0.1)) for row in rows])


def score(rows: Sequence[tuple[str, str, str, str, int, str]]) -> dict[str, dict[str, Any]]:
    frame, places = generations(rows)
    ids = frame["request_id"].to_list()
    topic = {i: p or None for i, (*_, p) in zip(ids, rows, strict=True)}
    relevance = {i: 0.5 if p else None for i, (*_, p) in zip(ids, rows, strict=True)}
    table = score_table(frame, places, np.abs(places), topic, relevance, dict.fromkeys(ids, 1.0), GROUPS)
    check_table(table, SCORES, "scores")
    return {row["request_id"]: row for row in table.iter_rows(named=True)}


def test_the_reference_has_the_same_question_and_sample() -> None:
    found = score(
        [
            ("question", "q1", "b", "b", 0, "a"),
            ("question", "q1", "b", "b", 1, "b"),
            ("question+group", "q1", "b", "b", 0, "c"),
            ("question+group", "q1", "b", "b", 1, "c"),
            ("steered+group", "q1", "b", "b", 0, "b"),
            ("steered+group", "q1", "b", "b", 1, "c"),
        ]
    )
    first, second = found["steered+group|q1|b|0"], found["steered+group|q1|b|1"]
    assert first["reference_id"] == "question|q1|b|0" and first["changed_to_target"] and first["matched_to_target"]
    assert second["reference_id"] == "question|q1|b|1" and second["lost_target"] and not second["matched_changed"]
    assert second["matched_direction"] is None  # nothing moved against the same prompt unsteered
    # (0, 9) - (9, 0) against c[b] = (0, 10)
    assert first["direction"] == pytest.approx(1 - 1 / math.sqrt(2))
    assert found["question|q1|b|0"]["zero"] and found["question|q1|b|0"]["direction"] is None


def test_row_one_stands_in_for_other_targets() -> None:
    found = score(
        [
            ("question", "q1", "a", "a", 0, "a"),
            ("steered", "q1", "a", "b", 0, "b"),
            ("steered", "q1", "a", "a", 0, "a"),
        ]
    )
    assert found["steered|q1|b|0"]["reference_id"] == "question|q1|a|0"
    assert found["steered|q1|b|0"]["changed_to_target"]


def test_topic_and_distance_are_held_against_the_reference() -> None:
    found = score(
        [
            ("question", "q1", "b", "b", 0, "a"),
            ("question", "q1", "b", "b", 1, ""),
            ("steered", "q1", "b", "b", 0, "c"),
            ("steered", "q1", "b", "b", 1, "a"),
            ("question+group", "q1", "b", "b", 0, "b"),
            ("question+group", "q1", "b", "b", 1, ""),
        ]
    )
    steered, group = found["steered|q1|b|0"], found["question+group|q1|b|0"]
    assert (steered["topic"], steered["reference_topic"], steered["relevance"]) == ("c", "a", 0.5)
    # (-9, 0) is as far from (0, 10) as (9, 0) is, and (0, 9) is nearer
    assert not steered["away"] and not group["away"]
    back = score([("question", "q1", "b", "b", 0, "b"), ("steered", "q1", "b", "b", 0, "a")])["steered|q1|b|0"]
    assert back["away"] and back["lost_target"]
    # against an empty text nothing is farther, and an empty text is nowhere
    after, empty = found["steered|q1|b|1"], found["question+group|q1|b|1"]
    assert (after["reference_topic"], after["away"], after["length_ratio"]) == (None, False, None)
    assert (empty["topic"], empty["relevance"], empty["away"], empty["empty"]) == (None, None, False, True)


@pytest.mark.parametrize(("lacking", "remedy"), [("topic", "judge the answers"), ("perplexity", "measure fluency")])
def test_what_was_not_measured_is_named_with_its_remedy(lacking: str, remedy: str) -> None:
    frame, places = generations([("question", "q1", "a", "a", 0, "a")])
    known: dict[str, Any] = {"question|q1|a|0": None}
    topic, perplexity = ({} if lacking == name else known for name in ("topic", "perplexity"))
    with pytest.raises(InputError, match=rf"'question\|q1\|a\|0' has no {lacking}; {remedy} again"):
        score_table(frame, places, np.abs(places), topic, known, perplexity, GROUPS)


def test_a_generation_without_reference_is_an_error() -> None:
    with pytest.raises(InputError, match=r"no 'question' for question 'q2', sample 0"):
        score([("question", "q1", "a", "a", 0, "a"), ("steered", "q2", "a", "a", 0, "a")])
    with pytest.raises(InputError, match=r"no 'question\+group'"):
        score([("question", "q1", "a", "a", 0, "a"), ("steered+group", "q1", "a", "a", 0, "a")])


def test_an_unknown_target_is_an_error() -> None:
    with pytest.raises(InputError, match="group 'x' has no group embedding"):
        score([("question", "q1", "a", "x", 0, "a")])


def test_scores_do_not_depend_on_the_order_of_the_rows() -> None:
    rows = [(c, q, "a", "a", s, p) for c, p in (("question", "a"), ("steered", "b")) for q in "xy" for s in (0, 1)]
    assert score(rows) == score(rows[::-1])


def test_nearest_groups_of_people_and_of_row_one() -> None:
    frame, places = generations(
        [
            ("question", "q1", "a", "a", 0, "b"),
            ("question", "q2", "a", "a", 0, "a"),
            ("steered", "q1", "a", "a", 0, "c"),
        ]
    )
    ids = frame["request_id"].to_list()
    topic: dict[str, str | None] = dict.fromkeys(ids, "a")
    known = dict.fromkeys(ids, 1.0)
    scores = score_table(frame, places, np.abs(places), topic, known, known, GROUPS)
    humans = pl.DataFrame({"group": ["a", "b"]})
    table = nearest_table(scores, humans, np.array([PLACES["a"], PLACES["c"]]), GROUPS)
    check_table(table, NEAREST, "nearest")
    found = {row[:3]: row[3:] for row in table.iter_rows()}
    assert len(found) == 2 * 3 * 3
    assert found["model", "a", "b"] == (1, 0.5) and found["model", "a", "a"] == (1, 0.5)
    assert found["human", "b", "c"] == (1, 1.0) and found["human", "c", "a"] == (0, 0.0)
    assert matrix(scores["embedding"]).shape == (3, 2)
