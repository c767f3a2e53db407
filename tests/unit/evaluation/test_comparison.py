"""The comparison: rows and their order, absent values, contrasts."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scored import bootstrap, scores

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import COMPARISON, CONTRASTS
from sociolect.evaluation.comparison import compare, contrasts, control_rows
from sociolect.evaluation.renderings import cells, damage_cells
from sociolect.generation.conditions import CONTROLS, ROWS


@pytest.fixture
def table() -> pl.DataFrame:
    return compare(frame := scores({"question": "aaab", "question+group": "aaab", "steered": "bbba"}), bootstrap(frame))


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
    assert steered["p_value"] == pytest.approx(2 * 5 / 16)  # three won, one lost
    assert row(table, "question")["hit_rate"] == 0.25


def test_row_one_against_itself_is_nothing(table: pl.DataFrame) -> None:
    first = row(table, "question")
    names = ("group_changes", "group_change_rate", "correct_changes", "direction_distance", "p_value", "net_changes")
    assert all(first[name] is None for name in names) and first["n"] == 4 and first["n_zero"] == 0
    assert cells(table)[0] == ["question", "4", "-", "-", "-"]


def test_a_condition_without_generations_is_there(table: pl.DataFrame) -> None:
    last = row(table, "steered+group+attributes")
    assert last["n"] == 0 and last["hit_rate"] is None and last["p_holm"] is None
    assert cells(table)[-1] == ["steered+group+attributes", "0", "n/a", "n/a", "n/a"]
    assert damage_cells(table)[-1][1] == "n/a"


def test_shares_of_the_three_ends_by_hand() -> None:
    frame = scores({"question": "aaab", "steered": "bbba"}, ends={"question": "essl", "steered": "lles"})
    table = compare(frame, bootstrap(frame))
    ends = {name: row(table, name) for name in ("question", "steered")}
    assert [(e["eos_rate"], e["stop_rate"], e["n_truncated"]) for e in ends.values()] == [
        (0.25, 0.5, 1),
        (0.25, 0.25, 2),
    ]
    assert damage_cells(table)[0][-3:-1] == ["25.0 %", "50.0 %"]


def test_no_direction_is_not_zero(table: pl.DataFrame) -> None:
    assert cells(table)[1] == ["question+group", "4", "0, 0.0 % [0.0, 0.0]", "0, 0.0 % [0.0, 0.0]", "n/a"]
    assert row(table, "question+group")["n_zero"] == 4


def test_empty_texts_count_as_nothing_won() -> None:
    frame = scores({"question": "aaab", "steered": "b--b"})
    steered = row(compare(frame, bootstrap(frame)), "steered")
    assert (steered["n"], steered["n_empty"], steered["correct_changes"], steered["hit_rate"]) == (4, 2, 1, 0.5)
    assert steered["judge_hit_rate"] == 0.5 and steered["judge_change_rate"] == 0.0


def test_controls_stand_apart() -> None:
    frame = scores({"question": "aab", "question (other seed)": "aba", "steered": "bbb", "steered (random)": "aab"})
    assert tuple(compare(frame, bootstrap(frame))["condition"]) == ROWS
    controls = control_rows(frame, bootstrap(frame))
    check_table(controls, COMPARISON, "controls")
    assert controls["condition"].to_list() == [CONTROLS[0], CONTROLS[1]]
    assert row(controls, CONTROLS[0])["group_changes"] == 2


def test_cross_targets_are_reported_apart() -> None:
    own, cross = scores({"question": "ab", "steered": "bb"}), scores({"question": "ab", "steered": "aa"}, target="a")
    cross = cross.with_columns(pl.col("request_id", "reference_id") + " cross")
    frame = pl.concat([own, cross])
    assert row(compare(frame, bootstrap(frame)), "steered")["n"] == 2
    assert row(control_rows(frame, bootstrap(frame)), "steered (cross targets)")["hit_rate"] == 1.0


def test_contrasts_are_paired_by_question() -> None:
    frame = scores({"question": "aabb", "steered": "bbbb", "steered (random)": "aabb"})
    frame = frame.filter(pl.col("request_id") != "steered (random) q0")
    found = contrasts(frame, bootstrap(frame))
    check_table(found, CONTRASTS, "contrasts")
    values = {r[:3]: r[3:] for r in found.iter_rows()}
    assert values["steered", "question", "hit_rate"][0] == 0.5
    # question 0 is not in the control: of the three others one is won
    assert values["steered", "steered (random)", "hit_rate"][0] == pytest.approx(1 / 3)
    assert values["steered", "steered (random)", "hit_rate"][3] == 3


def test_tables_are_the_same_from_shuffled_scores() -> None:
    frame = scores({"question": "aaab", "steered": "bbba"})
    other = frame.sample(fraction=1.0, shuffle=True, seed=3).sort("request_id")
    assert compare(frame, bootstrap(frame)).equals(compare(other, bootstrap(other)))
