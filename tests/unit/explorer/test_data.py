"""What the page is told of an experiment."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from explored import CATALOGUE, HEDGED, LOUD, made_tables

from sociolect.common.errors import InputError
from sociolect.explorer.data import experiment_data

TABLES = made_tables({"question": LOUD, "question+group": LOUD, "steered": HEDGED, "steered (random)": LOUD})
DATA = experiment_data(TABLES, CATALOGUE)


def rows_of(condition: str) -> list[int]:
    number = DATA["conditions"].index(condition)
    return [i for i, own in enumerate(DATA["rows"]["condition"]) if own == number]


def test_every_text_is_there_once_with_what_points_in_it() -> None:
    assert sorted(DATA["texts"]) == sorted([LOUD, HEDGED]) and len(DATA["prompts"]) == 4
    spans = dict(zip(DATA["texts"], DATA["spans"], strict=True))
    assert spans[LOUD] == [[2, 8, 1, 12, 1]] and spans[HEDGED] == [[0, 0, 7, 13, 3]]
    assert DATA["conditions"][DATA["above"] :] == ["steered (random)"]


def test_a_text_is_held_against_row_1_of_its_question_and_draw() -> None:
    rows = DATA["rows"]
    for i in rows_of("steered"):
        before = rows["reference"][i]
        assert before in rows_of("question")
        assert (rows["case"][before], rows["sample"][before]) == (rows["case"][i], rows["sample"][i])
        # gained, then lost; a change of .05 is none
        assert rows["moves"][i] == [0, 90, 2, -90]
        assert rows["moved"][i] == pytest.approx(162**0.5, abs=1e-3)
        _, _, target = DATA["cases"][rows["case"][i]]
        # from (0, 9) to (9, 0), with groups at (10, 0) and (0, 10)
        assert rows["nearer"][i] == pytest.approx((181**0.5 - 1) * (1 if target == 0 else -1), abs=1e-3)
    assert all(rows["moves"][i] == [] and rows["moved"][i] == 0 for i in rows_of("question"))


def test_it_opens_at_the_group_that_moved_most_on_its_own_question() -> None:
    rows, opening = DATA["rows"], DATA["opening"]
    assert DATA["effects"] == [1.0, -1.0]
    assert opening in rows_of("steered") and rows["sample"][opening] == 0
    question, asked, target = DATA["cases"][rows["case"][opening]]
    assert (DATA["questions"][question], asked, target) == (["q-a", "What of a?"], 0, 0)


def test_judges_and_map_are_those_of_the_tables() -> None:
    names = [judge["name"] for judge in DATA["judges"]]
    assert names[0] == "sfam" and set(names) == {"sfam", "measured", "topic", "relevance"}
    votes = {names[int(i)]: values for i, values in DATA["votes"].items()}
    assert votes["measured"] == votes["sfam"] == DATA["rows"]["nearest"]
    assert [len(tables) for tables in DATA["tables"]] == [2, 2, 2]
    # texts from (9, 0) to (0, 9), and groups beyond them on a line whose distance is .05 of its length
    assert DATA["map"] | {"groups": []} == {"groups": [], "size": [1000, 50], "variance": 1.0, "agreement": 1.0}
    assert sorted(x for x, _ in DATA["map"]["groups"]) == [0, 1000]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"generations": TABLES.generations.head(3)}, "no text of generation"),
        ({"questions": {"q-a": "What of a?"}}, "no sample has question 'q-b'"),
        ({"judged": TABLES.judged.filter(pl.col("judge") == "topic")}, "judge 'measured' has not judged generation"),
    ],
)
def test_what_is_missing_is_named(change: dict[str, pl.DataFrame], said: str) -> None:
    with pytest.raises(InputError, match=said):
        experiment_data(replace(TABLES, **change), CATALOGUE)  # type: ignore[arg-type]


def test_a_run_without_steering_has_no_opening() -> None:
    tables = made_tables({"question": LOUD, "question+group": HEDGED})
    assert experiment_data(tables, CATALOGUE)["opening"] is None
