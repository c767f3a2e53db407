"""Planning a fair table: which prompt each condition puts to whom, and with which draws."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
import torch

from made_tables import ASKED, METHODS, STYLES, corpus, plan, prompting
from sociolect.common.schemas import REQUESTS
from sociolect.generation.conditions import CONDITIONS, EXAMPLES, NOISE_FLOOR, conditions_of
from sociolect.generation.planning import Prompting, examples_of, plan_requests
from sociolect.lm.wordings import open_wording
from sociolect.settings.generation import GenerationSettings
from tiny_models import word_tokenizer

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return word_tokenizer()


def test_every_condition_has_the_same_questions_targets_and_samples(tokenizer: Any) -> None:
    frame = plan(tokenizer, samples=2)
    assert REQUESTS.columns.keys() == set(frame.columns)
    own = pl.col("question_group") == pl.col("target")
    counts = frame.group_by("condition").agg(own=own.sum(), cross=(~own).sum())
    found = {condition: (n, m) for condition, n, m in counts.iter_rows()}
    conditions = conditions_of(list(METHODS))
    # three groups of four questions with two samples each
    expected = {name: (24, 24 if condition.cross else 0) for name, condition in conditions.items()}
    # of the four own and four other targets chem, the method that cannot steer it has none
    expected["steered (distinctive)"] = (16, 16)
    assert found == expected
    keys = ("question_id", "target", "sample")
    asked = {name: set(frame.filter(pl.col("condition") == name).select(keys).rows()) for name in conditions}
    crossed = [name for name, condition in conditions.items() if condition.cross and name != "steered (distinctive)"]
    assert all(asked[name] == asked["question"] for name in crossed)
    assert asked["steered (distinctive)"] == {key for key in asked["question"] if key[1] != "chem"}


def test_drawn_targets_are_each_other_group_in_turn(tokenizer: Any) -> None:
    def pairs(targets: str) -> dict[tuple[str, str], int]:
        asked = plan(tokenizer, samples=1, targets=targets).filter(pl.col("condition") == "question")
        counts = asked.group_by("question_group", "target").len()
        return {(group, target): n for group, target, n in counts.iter_rows()}

    assert pairs("own") == {(group, group): 4 for group in ASKED}
    assert pairs("drawn") == {(a, b): 4 if a == b else 2 for a in ASKED for b in ASKED}
    assert pairs("cross") == {(a, b): 4 for a in ASKED for b in ASKED}


def test_seeds_are_shared_by_all_conditions_and_targets_but_the_noise_floor(tokenizer: Any) -> None:
    frame = plan(tokenizer, samples=2)
    shared = frame.filter(pl.col("condition") != NOISE_FLOOR)
    assert shared.group_by("question_id", "sample").agg(pl.col("seed").n_unique())["seed"].to_list() == [1] * 24
    assert frame["seed"].n_unique() == 48


def test_prompts_say_what_their_condition_names(tokenizer: Any) -> None:
    frame = plan(tokenizer, samples=1).filter(pl.col("question_id") == "qart0")
    prompts = dict(frame.filter(pl.col("target") == "art").select("condition", "prompt").iter_rows())
    for name, condition in conditions_of(list(METHODS)).items():
        if not (condition.other_prompt or condition.best_wording):
            assert prompts[name] == prompts[condition.kind], name
    assert "You use wac. You use wab." in prompts["steered+attributes"]
    assert "group art" in prompts["question+group"] and "group" not in prompts["question"]
    # the label of the next group, towards the own one
    assert "group bio med" in prompts["question+group (other group)"] and "art" not in prompts[NOISE_FLOOR]
    # the same said as val found best
    assert "Be art. Say wac. Say wab." in prompts["question+group+attributes (best wording)"]
    # another target has its own name and attributes in its prompts
    (other,) = set(frame["target"]) - {"art"}
    towards = dict(frame.filter(pl.col("target") == other).select("condition", "prompt").iter_rows())
    assert f"group {other.replace('_', ' ')}" in towards["question+group"]
    assert f"You use {STYLES[other][0]}." in towards["question+attributes"]
    assert towards["question"] == prompts["question"] and towards[EXAMPLES] != prompts[EXAMPLES]
    methods = dict(frame.select("condition", "method").iter_rows())
    assert methods == {name: condition.method for name, condition in conditions_of(list(METHODS)).items()}


def test_plan_does_not_depend_on_row_order_and_more_samples_only_add(tokenizer: Any) -> None:
    settings = GenerationSettings(samples=1, targets="cross", questions_per_group=2)
    made = prompting(open_wording(tokenizer, None))
    forth = plan_requests(corpus(), ASKED, METHODS, made, settings, 1)
    back = plan_requests(corpus().reverse(), ASKED[::-1], METHODS, made, settings, 1)
    assert forth.equals(back)
    assert forth.group_by("question_group").agg(pl.col("question_id").n_unique())["question_id"].to_list() == [2] * 3
    assert set(plan(tokenizer, samples=1)["request_id"]) < set(plan(tokenizer, samples=2)["request_id"])


def test_examples_are_train_answers_one_per_question_cut_to_length() -> None:
    samples = corpus()
    found = examples_of(samples, ["art", "chem"], 9, 4)
    assert sorted(found) == ["art", "chem"]
    # two train questions with two answers each
    assert sorted(question for question, _ in found["art"]) == ["waa ", "waa "]
    assert {answer for _, answer in found["art"]} == {"wba "}
    whole = examples_of(samples, ["art"], 9, 99)["art"]
    assert sorted(question for question, _ in whole) == ["waa 6", "waa 7"]
    assert examples_of(samples.reverse(), ["art"], 9, 99)["art"] == whole
    assert examples_of(samples, ["art"], 1, 99)["art"] == whole[:1]
    assert examples_of(samples, ["art"], 0, 99) == {"art": []}


def test_examples_that_leave_no_room_for_an_answer_go_the_first_one_first(tokenizer: Any) -> None:
    wording, settings = open_wording(tokenizer, None), GenerationSettings(max_new_tokens=5)
    shown = [("waa", "waa waa"), ("wab", "wab wab"), ("wac", "wac wac")]
    whole = wording.render_examples("wad", shown)
    n = len(wording.encode(whole))

    def render(context: int | None) -> str:
        made = Prompting(wording, wording, {}, {"x": shown}, context)
        return made.render(CONDITIONS[EXAMPLES], "wad", "x", settings)

    assert render(None) == render(n + 5) == whole
    assert render(n + 4) == wording.render_examples("wad", shown[1:])
    # where not even the question has room it is the backend that refuses
    assert render(1) == wording.render("question", "wad", "x", ())
    # questions are cut as for every other prompt
    short = Prompting(wording, wording, {}, {"x": []}, None).render(
        CONDITIONS[EXAMPLES], "wad wad", "x", GenerationSettings(max_question_chars=3)
    )
    assert short == wording.render("question", "wad", "x", ())
