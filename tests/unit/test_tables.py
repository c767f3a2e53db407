"""The comparison: rows and their order, absent values, contrasts; golden renderings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import COMPARISON, CONTRASTS
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.comparison import compare, contrasts, control_rows
from sociolect.evaluation.pages import read_page
from sociolect.evaluation.renderings import cells, damage_cells, to_csv, to_html, to_latex, to_markdown
from sociolect.evaluation.scores import Centers, score_table
from sociolect.generation.conditions import CONTROLS, ROWS

CENTERS = Centers(("a", "b"), np.array([[10.0, 0.0], [0.0, 10.0]]), "euclidean")
PLACES = {"a": (9.0, 0.0), "b": (0.0, 9.0)}


def scores(texts: dict[str, str], target: str = "b", judged: str = "b") -> pl.DataFrame:
    """Condition -> place of the text of question 1, 2, ...; the target is the question's own group."""
    rows = [(condition, f"q{i}", place) for condition, places in texts.items() for i, place in enumerate(places)]
    frame = pl.DataFrame(
        {
            "request_id": [f"{c} {q}" for c, q, _ in rows],
            "question_id": [q for _, q, _ in rows],
            "question_group": "b",
            "target": target,
            "condition": [c for c, _, _ in rows],
            "sample": 0,
            "prompt": "",
            "seed": 1,
            "method": [None] * len(rows),
            "text": ["" if p == "-" else "one two" for _, _, p in rows],
            "n_tokens": 2,
            "finish_reason": "stop",
        },
        schema_overrides={"sample": pl.Int64, "seed": pl.Int64, "method": pl.String},
    )
    places = np.array([PLACES.get(p, (1.0, 1.0)) for _, _, p in rows])
    fluency = dict.fromkeys(frame["request_id"].to_list(), 2.0)
    return score_table(frame, places, places, [judged] * len(rows), fluency, CENTERS)


def bootstrap(frame: pl.DataFrame) -> ClusterBootstrap:
    return ClusterBootstrap(frame["question_id"].to_list(), 500, 1)


@pytest.fixture
def table() -> pl.DataFrame:
    return compare(frame := scores({"question": "aaab", "question+group": "aaab", "steered": "bbba"}), bootstrap(frame))


def row(frame: pl.DataFrame, condition: str) -> dict[str, Any]:
    return frame.row(by_predicate=pl.col("condition") == condition, named=True)


def test_eight_rows_in_the_notes_order(table: pl.DataFrame) -> None:
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


GOLDEN = """\
| condition | n | absolute group change | absolute group change to the correct group | direction distance |
| --- | ---: | ---: | ---: | ---: |
| question | 1 | - | - | - |
| question+group | 1 | 1, 100.0 % [100.0, 100.0] | 1, 100.0 % [100.0, 100.0] | 0.293 [0.293, 0.293] |
| question+attributes | 0 | n/a | n/a | n/a |
| question+group+attributes | 0 | n/a | n/a | n/a |
| steered | 1 | 0, 0.0 % [0.0, 0.0] | 0, 0.0 % [0.0, 0.0] | n/a |
| steered+group | 0 | n/a | n/a | n/a |
| steered+attributes | 0 | n/a | n/a | n/a |
| steered+group+attributes | 0 | n/a | n/a | n/a |
"""


def tiny() -> pl.DataFrame:
    frame = scores({"question": "a", "question+group": "b", "steered": "a"})
    return compare(frame, bootstrap(frame))


def test_markdown_is_as_agreed() -> None:
    text = to_markdown(tiny(), "Comparison: main")
    assert text.startswith("# Comparison: main\n\n" + GOLDEN)
    assert "| question+group | 100.0 % | 100.0 % | 2.00 | 1.00 | 1.00 | n/a | 0.00 | 1.00 | 100.0 % | 0 |" in text


def test_latex_is_balanced_and_escaped() -> None:
    text = to_latex(tiny(), r"50 % of a_b & c\d {e}")
    assert r"\caption{50 \% of a\_b \& c\textbackslash{}d \{e\}}" in text
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 9 and all(len(re.findall(r"(?<!\\)&", line)) == 4 for line in rows)
    assert not re.search(r"(?<!\\)%", body)
    assert re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)[::-1]
    assert body.count(r"\midrule") == 2  # below the header and between unsteered and steered


def test_html_escapes() -> None:
    pages = Path(__file__).parents[2] / "workflow" / "report"
    text = to_html(tiny(), "<script>&", read_page([pages / "comparison.html.j2", pages / "table.html.j2"]))
    assert text.count("&lt;script&gt;&amp;") == 2 and "<script>" not in text
    assert text.count("<tr>") == 2 * 9 and text.startswith("<!doctype html>")


def test_csv_has_all_columns_and_empty_nulls() -> None:
    lines = to_csv(tiny()).splitlines()
    assert lines[0].split(",") == list(COMPARISON.columns) and len(lines) == 9
    assert lines[1].startswith("question,1,,,,")
