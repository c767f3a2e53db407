"""The comparison by judge: two judges worked out by hand, relevance beside them, what is missing."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import BY_JUDGE, CEILINGS, CONTRASTS
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.by_judge import RELEVANCE, by_judge, judge_contrasts, seen_by_all

# condition, question, its group, target, what sfam sees, what the topic probe sees, relevance; None: an empty text
ROWS: list[tuple[str, str, str, str, str | None, str | None, float | None]] = [
    ("question", "q1", "a", "a", "a", "a", 0.9),
    ("question", "q2", "a", "a", "b", "a", 0.8),
    ("question", "q3", "b", "b", "a", "b", 0.7),
    ("question", "q4", "b", "b", None, None, None),
    ("steered", "q1", "a", "a", "a", "b", 0.9),
    ("steered", "q2", "a", "a", "a", "a", 0.6),
    ("steered", "q3", "b", "b", "b", "b", 0.9),
    ("steered", "q4", "b", "b", "b", "a", 0.4),
    ("steered", "q1", "a", "b", "b", "a", 0.9),
    ("steered", "q2", "a", "b", "b", "a", 0.8),
    ("steered", "q3", "b", "a", "a", "a", 0.7),
    ("steered", "q4", "b", "a", None, None, None),
    ("steered (random)", "q2", "a", "a", "b", "a", 0.5),
    ("steered (random)", "q3", "b", "b", "a", "b", 0.5),
    ("steered (random)", "q4", "b", "b", "b", None, None),
]


def tables(rows: Any = ROWS) -> tuple[pl.DataFrame, pl.DataFrame]:
    """SCORES and JUDGED, as far as they are looked at; row 1 of the own target is the reference of all targets."""
    own = {question: group for _, question, group, *_ in rows}
    scores = pl.DataFrame(
        [
            {"request_id": f"{c} {q} {t}", "reference_id": f"question {q} {own[q]}", "question_id": q,
             "question_group": g, "target": t, "condition": c, "sample": 0, "relevance": relevance,
             # an empty text is where its reference is, and counts nowhere
             "nearest": sfam or "b", "empty": sfam is None}
            for c, q, g, t, sfam, _, relevance in rows
        ]
    )  # fmt: skip
    judged = scores.select("request_id", judge=pl.lit("topic"), sees=pl.lit("topic")).with_columns(
        group=pl.Series([row[5] for row in rows], dtype=pl.String)
    )
    return scores, judged


def ceilings() -> pl.DataFrame:
    row: dict[str, Any] = {"n": 9, "accuracy": 0.5, "low": 0.4, "high": 0.9, "chance": 0.5}
    found = [
        row | {"judge": judge, "sees": sees, "group": group, "macro": macro}
        for judge, sees, of_all in (("sfam", "style", 0.8), ("topic", "topic", 0.7))
        for group, macro in ((None, of_all), ("a", None))
    ]
    return CEILINGS.frame([{name: r[name] for name in CEILINGS.columns} for r in found])


def judged_by(rows: Any = ROWS) -> dict[tuple[str, str, str], dict[str, Any]]:
    scores, judged = tables(rows)
    bootstrap = ClusterBootstrap(scores["question_id"].to_list(), 300, 1)
    table = check_table(by_judge(seen_by_all(scores, judged), ceilings(), bootstrap), BY_JUDGE, "judges")
    return {(r["judge"], r["targets"], r["condition"]): r for r in table.iter_rows(named=True)}


def figures(row: dict[str, Any], *names: str) -> list[Any]:
    return [None if row[name] is None else pytest.approx(row[name]) for name in names]


def test_rates_gains_and_what_stays_by_hand() -> None:
    found = judged_by()
    names = ("rate", "gain", "stay", "stay_gain")
    expected: dict[tuple[str, str, str], list[float | None]] = {
        # row 1: q1 alone is in its group; all four are after steering
        ("sfam", "own", "question"): [0.25, None, 0.25, None],
        ("sfam", "own", "steered"): [1.0, 0.75, 1.0, 0.75],
        # the probe knew q1 to q3, and knows q2 and q3
        ("topic", "own", "steered"): [0.5, -0.25, 0.5, -0.25],
        # towards the other group q2 and q3 were there before; q4 is empty
        ("sfam", "cross", "steered"): [0.75, 0.25, 0.0, -0.25],
        # q3 leaves its topic
        ("topic", "cross", "steered"): [0.25, 0.25, 0.5, -0.25],
    }
    for key, values in expected.items():
        assert figures(found[key], *names) == values, key
        assert found[key]["n"] == 4
    assert ("sfam", "cross", "question") not in found
    # of the pairs whose topic stayed: q1 and q2 towards the other group (q2 was there before), q2 and q3 towards theirs
    for key, value in (
        (("sfam", "cross", "steered"), (0.5, 2)),
        (("sfam", "own", "steered"), (1.0, 2)),
        (("sfam", "own", "question"), (0.0, 3)),
        ((RELEVANCE, "own", "steered"), (pytest.approx(0.0), 2)),
    ):
        assert (found[key]["on_topic_gain"], found[key]["on_topic_n"]) == value, key
    assert {found[key]["ceiling"] for key in found if key[0] == "sfam"} == {0.8}
    assert {found[key]["ceiling"] for key in found if key[0] == "topic"} == {0.7}


def test_relevance_is_a_judge_of_its_own_and_leaves_empty_texts_out() -> None:
    own = judged_by()[RELEVANCE, "own", "steered"]
    assert (own["sees"], own["n"], own["ceiling"], own["stay"], own["stay_gain"]) == ("question", 4, None, None, None)
    # the mean of four, and the mean of the three rises 0, -.2, .2: q4 has no reference to rise from
    assert own["rate"] == pytest.approx(0.7) and own["gain"] == pytest.approx(0.0)
    assert judged_by()[RELEVANCE, "cross", "steered"]["rate"] == pytest.approx(0.8)


def test_texts_that_steering_leaves_as_they_are_gain_nothing() -> None:
    plain = [row for row in ROWS if row[0] == "question"]
    rows: list[Any] = [*plain, *(("steered", *row[1:]) for row in plain)]
    rows += [("steered", q, g, "b" if g == "a" else "a", *seen) for _, q, g, _, *seen in plain]
    found = {key: row for key, row in judged_by(rows).items() if key[2] == "steered"}
    assert len(found) == 3 * 2
    for (judge, *_), row in found.items():
        names = ["gain", "gain_low", "gain_high"]
        names += [] if judge == RELEVANCE else ["stay_gain", "stay_gain_low", "stay_gain_high"]
        assert [row[name] for name in names] == [0.0] * len(names)


def test_the_order_of_the_rows_changes_nothing() -> None:
    assert judged_by(ROWS[::-1]) == judged_by()


def test_a_judge_that_missed_a_text_is_an_error() -> None:
    scores, judged = tables()
    with pytest.raises(InputError, match="judge 'topic' has not judged all generations; judge the answers again"):
        seen_by_all(scores, judged.head(judged.height - 1))
    # also where it judged others, which stand in no table
    with pytest.raises(InputError, match="judge 'topic' has not judged all generations"):
        seen_by_all(scores.head(7), judged.tail(judged.height - 1))
    assert seen_by_all(scores.head(7), judged).filter(judge="topic").height == 7


def test_contrasts_by_judge_are_paired() -> None:
    scores, judged = tables()
    bootstrap = ClusterBootstrap(scores["question_id"].to_list(), 300, 1)
    found = check_table(judge_contrasts(seen_by_all(scores, judged), bootstrap), CONTRASTS, "contrasts")
    values = {row[1:3]: (row[3], row[6]) for row in found.iter_rows()}
    # q1 is not in the control; on own targets alone: q2 and q3 won by sfam
    assert values == {
        ("steered (random)", "hit_rate sfam"): (pytest.approx(2 / 3), 3),
        # q4 was won by nobody
        ("steered (random)", "hit_rate topic"): (pytest.approx(0.0), 3),
        # .6 - .5 and .9 - .5
        ("steered (random)", "hit_rate relevance"): (pytest.approx(0.25), 2),
    }
