"""Votes by hand: the most probable group, what is given to target and question's group, nothing for an empty text."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.pipeline import make_pipeline

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import JUDGED
from sociolect.judges.judged import judged_table
from sociolect.judges.text_judges import Judge

GROUPS = ("art", "law", "med")
GENERATIONS = pl.DataFrame(
    {
        "request_id": ["r3", "r1", "r2"],
        "target": ["law", "med", "art"],
        "question_group": ["law", "art", "med"],
    }
)
SEEN = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [np.nan] * 3])


def judge(name: str, sees: str) -> Judge:
    return Judge(name, sees, GROUPS, make_pipeline("passthrough"))


def test_votes_by_hand() -> None:
    judges = [judge("topic", "topic"), judge("ngrams", "style")]
    table = judged_table(GENERATIONS, judges, {"topic": SEEN, "ngrams": SEEN[:, ::-1]})
    check_table(table, JUDGED, "judged")
    topic, ngrams = table.filter(judge="topic"), table.filter(judge="ngrams")
    # judges as given, requests sorted
    assert table["judge"].to_list() == ["topic"] * 3 + ["ngrams"] * 3
    assert topic.rows() == [
        ("r1", "topic", "topic", "art", pytest.approx(0.1), pytest.approx(0.6)),
        ("r2", "topic", "topic", None, None, None),
        ("r3", "topic", "topic", "law", pytest.approx(0.5), pytest.approx(0.5)),
    ]
    assert ngrams.select("sees", "group").rows() == [("style", "med"), ("style", None), ("style", "law")]


def test_of_groups_that_are_as_probable_the_first_is_seen() -> None:
    table = judged_table(GENERATIONS.head(1), [judge("topic", "topic")], {"topic": np.full((1, 3), 1 / 3)})
    assert table["group"].to_list() == ["art"]


def test_without_generations_or_judges_there_is_an_empty_table() -> None:
    assert judged_table(GENERATIONS, [], {}).equals(JUDGED.empty())
    none = judged_table(GENERATIONS.clear(), [judge("topic", "topic")], {"topic": np.empty((0, 3))})
    check_table(none, JUDGED, "judged")
    assert none.height == 0
