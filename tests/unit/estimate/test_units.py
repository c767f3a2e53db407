"""Units of work, by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from sociolect.common.errors import InputError
from sociolect.estimate.units import LESSON, Attributes, attributes_of, count_work, n_tries
from sociolect.settings.config import load_config
from sociolect.settings.estimate import EstimateJob
from sociolect.stylometry.stylometry import attributes_for

CONFIG: dict[str, Any] = {
    "run": "x",
    "experiments": {"main": {"fit": ["single"], "ask": "single"}},
    "description": {"describer": "stylometry", "n_answers": 5, "n_heldout": 2},
    "sfam": {"max_steps": 100, "eval_steps": 30},
    "labeling": {"shards": 2},
    "readings": {"answers_per_group": 3},
    "steering": {"methods": ["all", "distinctive"]},
    "sweep": {
        "depths": [0.0, 0.5],
        "band": None,
        "alphas": [0, 0.1, 0.2, 0.3],
        "halvings": 1,
        "questions_per_group": 2,
    },
    "generation": {"samples": 3, "questions_per_group": 2, "max_new_tokens": 10, "shards": 4},
    "scratch": {"lm": {"steps": 7, "layers": 4}},
}


def job(**sections: dict[str, Any]) -> EstimateJob:
    config = load_config(CONFIG | {name: CONFIG.get(name, {}) | keys for name, keys in sections.items()}, "test")
    return EstimateJob.model_validate({name: getattr(config, name) for name in EstimateJob.model_fields})


def samples(groups: str = "ab") -> pl.DataFrame:
    """Groups, each with 4 train, 2 val and 3 test answers to as many questions."""
    rows = [(g, part, i) for g in groups for part, n in (("train", 4), ("val", 2), ("test", 3)) for i in range(n)]
    return pl.DataFrame(
        {
            "question_id": [f"q-{g}-{p}-{i}" for g, p, i in rows],
            "answer_id": [f"a-{g}-{p}-{i}" for g, p, i in rows],
            "group": [g for g, _, _ in rows],
            "part": [p for _, p, _ in rows],
        }
    )


def counted(
    settings: EstimateJob, k: int = 10, n_prompts: int = 0, groups: str = "ab"
) -> dict[tuple[str, str], tuple[int, int]]:
    splits = {"single": samples(groups), "multi": samples(groups)}
    found = count_work(settings, splits, Attributes(k, "exact"), n_prompts)
    return {(w.rule, w.unit): (w.units, w.jobs) for w in found}


def test_units_of_a_small_config() -> None:
    pair = "pair of {} and attribute"
    assert counted(job()) == {
        ("describe_style", "answer"): (5 + 2 + 2, 1),
        ("train_scratch_lm", "training step"): (7, 1),
        ("train_sfam", "training step"): (100, 1),
        # looks after 30, 60, 90 and 100 steps
        ("train_sfam", "pair of a look at val"): (4 * 6000, 0),
        # train answers of all splits; those of multi are the same
        ("calibrate_measures", "answer"): (8, 1),
        # split multi is in no experiment
        ("label_answers", pair.format("answer")): (18 * 10, 2),
        # 2 groups x 2 questions x 3 samples: 8 conditions, 2 methods, and 3 of 8 controls for two targets
        ("label_answers", pair.format("generation")): (396 * 10, 2),
        # 3 test answers of each group
        ("label_answers", pair.format("short answer")): (6 * 10, 2),
        ("extract_activations", "attribute sentence"): (10, 1),
        # 3 answers of each group and their content words; weighted attributes read nothing else
        ("read_answers", "answer"): (12, 1),
        # 2 val questions of each group
        ("answer_unsteered", "token"): (4 * 10, 1),
        # of each method 2 layers x 3 strengths on 2 questions, 3 of these on 2 more; two targets
        ("try_method", "token"): (72 * 10, 2),
        ("try_method", pair.format("tried text")): (72 * 10, 0),
        ("try_method", "text"): (72, 0),
        # 8 wordings of a prompt on the val questions
        ("choose_wording", "token"): (8 * 4 * 10, 1),
        # row 1 names and steers towards nobody, and is generated once for both targets
        ("generate_answers", "token"): ((396 - 12) * 10, 4),
        ("measure_fluency", "text"): (396, 1),
    }


@pytest.mark.parametrize(("targets", "texts", "again"), [("own", 18, 0), ("drawn", 33, 1), ("cross", 48, 2)])
def test_targets_and_methods_multiply_the_requests(targets: str, texts: int, again: int) -> None:
    # 3 groups x 2 questions x 3 samples; 13 of the 18 conditions are also asked for the style of other groups
    found = counted(job(generation={"targets": targets}), groups="abc")
    assert found["measure_fluency", "text"][0] == 18 * texts
    assert found["generate_answers", "token"][0] == 18 * (texts - again) * 10
    # a method more is a condition more, and one more sweep
    more = job(generation={"targets": targets}, steering={"methods": ["all", "distinctive", "content_free"]})
    known = counted(more, groups="abc")
    assert known["measure_fluency", "text"][0] == 18 * (texts + 1 + again)
    assert known["try_method", "token"] == (found["try_method", "token"][0] // 2 * 3, 3)


def test_methods_are_read_for_by_kinds_of_texts_each_once() -> None:
    def read(*methods: str) -> int:
        return counted(job(steering={"methods": methods}))["read_answers", "answer"][0]

    # answers and their content words are always read: projections and the control of topic are made of them
    assert read("all") == read("mean_difference") == read("all", "mean_difference") == 2 * 2 * 3
    assert read("content_free") == read("mean_difference", "content_free", "all") == 3 * 2 * 3
    assert read("own_answer", "content_free", "prompt_difference") == 5 * 2 * 3


def test_halving_tries_all_on_a_part_and_the_better_half_on_the_rest() -> None:
    def tried(questions: int = 8, **sweep: Any) -> int:
        return n_tries(job(sweep=sweep, steering={"methods": ["all"]}), questions)

    # 2 layers x 3 strengths, 8 questions, two targets
    assert tried(halvings=0) == 6 * 8 * 2
    # a quarter: 6; a half: 3 of them; all: 1 of these
    assert tried(halvings=2) == (6 * 2 + 3 * 2 + 1 * 4) * 2
    # one goes on at least
    assert tried(halvings=3, alphas=[0.1], depths=[0.0]) == 8 * 2
    # two places in a text are twice the settings; a layer that two depths mean is one
    assert tried(halvings=0, positions=["last", "all"]) == 12 * 8 * 2
    assert tried(halvings=0, depths=[0.0, 0.1]) == 3 * 8 * 2
    assert tried(halvings=0, band=[0.0, 0.5]) == 9 * 8 * 2


def test_describing_by_a_model_and_a_model_of_the_hub() -> None:
    hub = {"lm": {"repo": "a/b", "revision": "0" * 40}}
    found = counted(job(description={"describer": "llm"}, models=hub), n_prompts=8)
    assert found["describe_style", "prompt"] == (9 * 8, 1)
    assert ("train_scratch_lm", "training step") not in found


def test_measures_cost_one_look_at_a_text_and_no_sfam() -> None:
    found = counted(job(labeling={"scorer": "measured"}))
    assert found["label_answers", "answer"] == (18, 2) and found["label_answers", "generation"] == (396, 2)
    assert found["try_method", "tried text"] == (72, 0) and found["calibrate_measures", "answer"] == (8, 1)
    assert not {"train_sfam", "distil_student"} & {rule for rule, _ in found}


def test_tagging_counts_answers_and_what_is_scored_by_measures() -> None:
    tagger = {"tagger": "en_core_web_sm"}
    found = counted(job(syntax=tagger))
    # stylometry measures split multi, too, which is in no experiment
    assert found["tag_answers", "answer"] == (36, 2) and ("tag_answers", "generation") not in found
    found = counted(job(syntax=tagger, labeling={"scorer": "measured"}))
    assert found["tag_answers", "answer"] == (36, 2) and found["tag_answers", "generation"] == (396, 1)
    assert found["tag_answers", "short answer"] == (6, 1)
    assert found["try_method", "tagged text"] == (72, 0)
    hub = {"lm": {"repo": "a/b", "revision": "0" * 40}}
    found = counted(job(syntax=tagger, description={"describer": "llm"}, models=hub), n_prompts=8)
    assert found["tag_answers", "answer"] == (18, 1)
    assert "tag_answers" not in {rule for rule, _ in counted(job())}


def test_a_student_costs_its_lessons_and_one_pass_per_text() -> None:
    lessons = {"n_answers": 5, "n_heldout": 1, "max_epochs": 3}
    found = counted(job(labeling={"scorer": "distilled"}, distillation=lessons))
    assert found["label_answers", LESSON] == ((5 + 1 + 1) * 10, 2)
    assert found["distil_student", "answer and epoch"] == (3 * 5, 1)
    assert found["label_answers", "answer"] == (18, 2) and found["label_answers", "generation"] == (396, 2)
    assert found["try_method", "tried text"] == (72, 0)


def test_attributes_are_bounded_until_there_is_a_catalogue() -> None:
    assert attributes_of(job(catalogue={"max_attributes": 40}), None) == Attributes(40, "at most")
    # stylometry says no more than it knows
    assert 40 < attributes_of(job(), None).k < 768
    assert attributes_of(job(syntax={"tagger": "en_core_web_sm"}), None).k == len(attributes_for(True))
    assert attributes_of(job(description={"describer": "llm"}), None) == Attributes(768, "at most")
    assert attributes_of(job(), samples()) == Attributes(18, "exact")


def test_no_samples_is_an_error_that_names_the_split() -> None:
    with pytest.raises(InputError, match="split 'single' has no samples"):
        count_work(job(), {"single": samples().clear()}, Attributes(1, "exact"), 0)
    with pytest.raises(InputError, match=r"experiments\.main needs split 'single'"):
        count_work(job(), {"multi": samples()}, Attributes(1, "exact"), 0)
