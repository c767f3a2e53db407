"""The comparison: rows and their order, one n for all of them, absent values, contrasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scored import bootstrap, scores, texts_of

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import COMPARISON, CONTRASTS
from sociolect.evaluation.comparison import (
    CROSS,
    compare,
    contrasts,
    of_all_groups,
    only_some_groups,
    rows_below,
    rows_of_some,
)
from sociolect.evaluation.renderings import cells, damage_cells
from sociolect.generation.conditions import CONTROLS, EXAMPLES, ROWS


def compared(frame: pl.DataFrame) -> pl.DataFrame:
    return compare(frame, texts_of(frame), bootstrap(frame))


def below(frame: pl.DataFrame) -> pl.DataFrame:
    return rows_below(frame, texts_of(frame), bootstrap(frame))


@pytest.fixture
def table() -> pl.DataFrame:
    return compared(scores({"question": "aaab", "question+group": "aaab", "steered": "bbba"}))


def row(frame: pl.DataFrame, condition: str) -> dict[str, Any]:
    return frame.row(by_predicate=pl.col("condition") == condition, named=True)


def test_eight_rows_in_their_order(table: pl.DataFrame) -> None:
    check_table(table, COMPARISON, "comparison")
    assert tuple(table["condition"]) == ROWS and len(ROWS) == 8


def test_counts_by_hand(table: pl.DataFrame) -> None:
    steered = row(table, "steered")
    assert (steered["n"], steered["group_changes"], steered["correct_changes"], steered["losses"]) == (4, 4, 3, 1)
    assert (steered["net_changes"], steered["n_eligible"], steered["eligible_change_rate"]) == (2, 3, 1.0)
    assert (steered["correct_change_rate"], steered["hit_rate"]) == (0.75, 0.75)
    # three moves (-9, 9) and one (9, -9) against (0, 10)
    assert steered["direction_distance"] == pytest.approx(1 - 0.5 * np.sqrt(0.5))
    assert steered["rank1_rate"] == 0.75 and steered["direction_rank"] == 1.25
    # the one that left the target is farther from it
    assert steered["away_rate"] == 0.25
    assert steered["p_value"] == pytest.approx(2 * 5 / 16)  # three won, one lost
    assert row(table, "question")["hit_rate"] == 0.25


def test_row_one_against_itself_is_nothing(table: pl.DataFrame) -> None:
    first = row(table, "question")
    names = ("group_changes", "group_change_rate", "correct_changes", "direction_distance", "p_value", "net_changes")
    assert all(first[name] is None for name in (*names, "away_rate", "topic_change_rate"))
    assert first["n"] == 4 and first["n_zero"] == 0 and first["topic_rate"] == 1.0
    assert cells(table)[0] == ["question", "4", "-", "-", "-"]


def test_a_condition_without_generations_is_there(table: pl.DataFrame) -> None:
    last = row(table, "steered+group+attributes")
    assert last["n"] == 0 and last["hit_rate"] is None and last["p_holm"] is None and last["distinct_across"] is None
    assert cells(table)[-1] == ["steered+group+attributes", "0", "n/a", "n/a", "n/a"]
    assert damage_cells(table)[-1][1] == "n/a"


def test_shares_of_the_three_ends_by_hand() -> None:
    table = compared(scores({"question": "aaab", "steered": "bbba"}, ends={"question": "essl", "steered": "lles"}))
    ends = {name: row(table, name) for name in ("question", "steered")}
    assert [(e["eos_rate"], e["stop_rate"], e["n_truncated"]) for e in ends.values()] == [
        (0.25, 0.5, 1),
        (0.25, 0.25, 2),
    ]
    assert damage_cells(table)[0][-3:-1] == ["25.0 %", "50.0 %"]


def test_no_direction_is_not_zero(table: pl.DataFrame) -> None:
    assert cells(table)[1] == ["question+group", "4", "0, 0.0 % [0.0, 0.0]", "0, 0.0 % [0.0, 0.0]", "n/a"]
    assert row(table, "question+group")["n_zero"] == 4


def test_empty_texts_count_as_nothing_won_and_as_no_topic() -> None:
    seen = {"question": "abbb", "steered": "bbba"}
    steered = row(compared(scores({"question": "aaab", "steered": "b--b"}, topics=seen)), "steered")
    assert (steered["n"], steered["n_empty"], steered["correct_changes"], steered["hit_rate"]) == (4, 2, 1, 0.5)
    # the empty ones are neither farther away, nor in the question's group, nor of another topic than before
    assert (steered["away_rate"], steered["topic_rate"], steered["topic_change_rate"]) == (0.0, 0.25, 0.5)
    assert steered["relevance"] == 0.75
    # an empty reference has no topic that could change
    steered = row(compared(scores({"question": "-aab", "steered": "bbbb"}, topics=seen)), "steered")
    assert (steered["topic_rate"], steered["topic_change_rate"], steered["away_rate"]) == (0.75, 0.25, 0.0)


def test_texts_of_a_row_that_say_the_same_have_few_distinct_pairs_of_words() -> None:
    table = compared(scores({"question": "aaab", "steered": "bb-a"}))
    # one pair of words, four times; and three times beside an empty text
    assert row(table, "question")["distinct_across"] == 0.25
    assert row(table, "steered")["distinct_across"] == pytest.approx(1 / 3)


def test_below_the_line_are_controls_examples_methods_and_then_other_targets() -> None:
    names = [*ROWS, *CONTROLS, "steered (rotated)", "steered (mean_difference)", "steered (all)"]
    own = scores(dict.fromkeys(names[::-1], "ab"))
    crossed = ["steered (all)", EXAMPLES, "steered", "question"]
    frame = pl.concat([own, scores(dict.fromkeys(crossed, "ab"), target="a")])
    assert tuple(compared(frame)["condition"]) == ROWS and set(compared(frame)["n"]) == {2}
    table = below(frame)
    check_table(table, COMPARISON, "controls")
    # methods as steering.methods lists them, not as they were planned
    methods = ["steered (all)", "steered (mean_difference)", "steered (rotated)"]
    assert table["condition"].to_list() == [
        *CONTROLS,
        *methods,
        *(name + CROSS for name in ("question", "steered", EXAMPLES, "steered (all)")),
    ]
    assert CONTROLS[-1] == EXAMPLES and set(table["n"]) == {2}
    assert row(table, "question" + CROSS)["group_changes"] is None


def test_cross_targets_are_counted_apart() -> None:
    own, cross = scores({"question": "ab", "steered": "bb"}), scores({"question": "ab", "steered": "aa"}, target="a")
    frame = pl.concat([own, cross])
    assert row(compared(frame), "steered")["n"] == 2
    found = row(below(frame), "steered" + CROSS)
    assert (found["n"], found["hit_rate"], found["correct_changes"]) == (2, 1.0, 1)


def test_a_method_that_a_group_lacks_is_compared_over_the_groups_that_have_it() -> None:
    both = {"question": "aab", "steered": "bab"}
    of_a = scores(both, target="a", group="a")
    of_b = scores(both | {"steered (distinctive)": "bbb"})
    frame = pl.concat([of_a, of_b, scores({"question": "a", "steered": "b", "steered (distinctive)": "b"}, target="a")])
    assert only_some_groups(frame) == {"steered (distinctive)": ["b"]}
    fair = of_all_groups(frame)
    # towards other groups it is left out, too
    assert set(fair["condition"]) == set(both) and only_some_groups(fair) == {}
    assert {r["condition"]: r["n"] for r in compared(fair).to_dicts() if r["n"]} == {"question": 6, "steered": 6}
    some = rows_of_some(frame, texts_of(frame), bootstrap(frame))
    check_table(some, COMPARISON, "some")
    # the three questions of b: of the two that were not in b, one came there by steering, both by the method
    assert some.select("condition", "n", "correct_changes").rows() == [
        ("question", 3, None),
        ("steered", 3, 1),
        ("steered (distinctive)", 3, 2),
    ]
    assert rows_of_some(fair, texts_of(fair), bootstrap(fair)).equals(COMPARISON.empty())


def test_contrasts_are_paired_by_question() -> None:
    frame = scores({"question": "aabb", "steered": "bbbb", "steered (random)": "aabb"})
    frame = frame.filter(~pl.col("request_id").str.starts_with("steered (random) b0"))
    found = contrasts(frame, bootstrap(frame))
    check_table(found, CONTRASTS, "contrasts")
    values = {r[:3]: r[3:] for r in found.iter_rows()}
    assert values["steered", "question", "hit_rate"][0] == 0.5
    # question 0 is not in the control: of the three others one is won
    assert values["steered", "steered (random)", "hit_rate"][0] == pytest.approx(1 / 3)
    assert values["steered", "steered (random)", "hit_rate"][3] == 3


def test_contrasts_hold_steering_against_controls_and_prompts_and_methods_against_row_one() -> None:
    names = [*ROWS, *CONTROLS, "steered (all)"]
    frame = scores(dict.fromkeys(names, "ab"))
    found = contrasts(frame, bootstrap(frame))
    pairs = set(found.select("condition", "against").rows())
    vectors = {name for name in CONTROLS if name.startswith("steered")}
    assert vectors >= {"steered (random)", "steered (shuffled)", "steered (other group)"}
    assert {against for name, against in pairs if name == "steered"} == {"question", "question (other seed)", *vectors}
    assert {against for name, against in pairs if name == "steered+group"} == {
        "question",
        "question (other seed)",
        "question+group",
    }
    assert ("steered (all)", "question") in pairs and ("question", "question") not in pairs
    # all texts are alike
    assert set(found["difference"]) == {0.0}


def test_tables_are_the_same_from_shuffled_scores() -> None:
    frame = scores({"question": "aaab", "steered": "bbba"})
    other = frame.sample(fraction=1.0, shuffle=True, seed=3).sort("request_id")
    assert compared(frame).equals(compared(other))
