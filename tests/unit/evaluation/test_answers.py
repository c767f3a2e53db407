"""Answers for a reader: drawn without anybody's choice, endings counted by hand."""

from __future__ import annotations

import polars as pl

from sociolect.evaluation.answers import drawn, endings, unsteered


def test_the_draw_depends_on_the_ids_alone() -> None:
    frame = pl.DataFrame({"request_id": [f"{i:02d}" for i in range(40)], "condition": ["question", "steered"] * 20})
    first = drawn(frame, ["question"], 5)
    assert drawn(frame.reverse(), ["question"], 5).equals(first) and set(first["condition"]) == {"question"}
    assert drawn(frame, ["question"], 3)["request_id"].to_list() == first["request_id"].to_list()[:3]
    assert first["request_id"].to_list() != sorted(frame["request_id"])[:5]


def test_endings_by_hand() -> None:
    frame = pl.DataFrame(
        {
            "condition": ["question"] * 4 + ["steered"],
            "text": ["Yes.", "No.\nQuestion: why?", " ", "I asked a Question.", "Q"],
            "finish_reason": ["stop", "length", "stop_string", "stop_string", "length"],
        }
    )
    first, second = endings(frame, r"(?m)^Question\b").to_dicts()
    assert first == {
        "condition": "question", "n": 4, "ended": 0.25, "at_stop_string": 0.5, "next_question": 0.25, "empty": 0.25
    }  # fmt: skip
    assert second["n"] == 1 and second["ended"] == second["next_question"] == 0


def test_an_unsteered_answer_counts_once_whatever_it_is_the_reference_of() -> None:
    rows = [
        (f"q {target} {s} {c}", "q", "a", target, c, s) for target in "ab" for s in (0, 1) for c in ("question", "x")
    ]
    names = ["request_id", "question_id", "question_group", "target", "condition", "sample"]
    own = unsteered(pl.DataFrame(rows, schema=names, orient="row"))
    assert own["request_id"].to_list() == ["q a 0 question", "q a 1 question"]
