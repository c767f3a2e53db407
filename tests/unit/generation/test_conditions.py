"""Conditions: eight rows, what stands below the line, and what their names mean."""

from __future__ import annotations

from sociolect.generation.conditions import (
    CONDITIONS,
    CONTROLS,
    EXAMPLES,
    ROWS,
    conditions_of,
    method_row,
    ordered,
    resolve_method,
    unsteered,
)
from sociolect.lm.prompts import PROMPT_KINDS


def test_eight_rows_are_four_prompts_without_and_with_the_chosen_vector() -> None:
    rows = [CONDITIONS[name] for name in ROWS]
    assert [row.kind for row in rows] == [*PROMPT_KINDS, *PROMPT_KINDS]
    assert [row.method for row in rows] == [None] * 4 + ["chosen"] * 4
    assert all(row.cross and not row.other_seed and not row.other_prompt for row in rows)
    assert set(CONTROLS) == set(CONDITIONS) - set(ROWS)


def test_the_matched_reference_has_the_same_prompt_and_no_vector() -> None:
    for name, condition in conditions_of(["all", "rotated"]).items():
        reference = CONDITIONS[unsteered(name)]
        assert (reference.kind, reference.method) == (condition.kind, None), name
    assert unsteered("steered+group+attributes") == "question+group+attributes"
    assert unsteered(EXAMPLES) == EXAMPLES and unsteered("steered (topic_free)") == "question"


def test_methods_come_last_in_the_order_of_their_setting_whatever_order_is_given() -> None:
    names = list(conditions_of(["all", "mean_difference", "adaptive"]))
    assert names[: len(CONDITIONS)] == list(CONDITIONS)
    assert names[len(CONDITIONS) :] == ["steered (all)", "steered (mean_difference)", "steered (adaptive)"]
    assert ordered(sorted(names)) == ordered(names[::-1]) == names
    assert ordered(["a new one", "steered (all)", "question"]) == ["question", "steered (all)", "a new one"]


def test_controls_take_the_vector_of_the_chosen_method_and_a_method_its_own() -> None:
    methods = [condition.method for condition in conditions_of(["adaptive"]).values() if condition.method]
    assert {method: resolve_method(method, "all") for method in methods} == {
        "chosen": "all",
        "random": "random",
        "topic": "topic",
        "shuffled": "shuffled_all",
        "other_group": "other_group_all",
        "best_adaptive": "adaptive",
    }
    assert conditions_of(["adaptive"])[method_row("adaptive")].control
