"""Units of work, by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from sociolect.common.errors import InputError
from sociolect.estimate.units import LESSON, Attributes, attributes_of, count_work
from sociolect.settings.config import load_config
from sociolect.settings.estimate import EstimateJob
from sociolect.stylometry.stylometry import attributes_for

CONFIG: dict[str, Any] = {
    "run": "x",
    "experiments": {"main": {"fit": ["single"], "ask": "single"}},
    "description": {"describer": "stylometry", "n_answers": 5, "n_heldout": 2},
    "sfam": {"max_steps": 100, "eval_steps": 30},
    "labeling": {"shards": 2},
    "sweep": {"depths": [0.0, 0.5], "band": None, "alphas": [0, 0.1, 0.2, 0.3], "refine": 1, "questions_per_group": 1},
    "generation": {"samples": 3, "questions_per_group": 2, "max_new_tokens": 10, "shards": 4},
    "scratch": {"lm": {"steps": 7, "layers": 4}},
}


def job(**sections: dict[str, Any]) -> EstimateJob:
    config = load_config(CONFIG | {name: CONFIG.get(name, {}) | keys for name, keys in sections.items()}, "test")
    return EstimateJob.model_validate({name: getattr(config, name) for name in EstimateJob.model_fields})


def samples() -> pl.DataFrame:
    """Two groups, each with 4 train, 2 val and 3 test answers to as many questions."""
    rows = [(g, part, i) for g in "ab" for part, n in (("train", 4), ("val", 2), ("test", 3)) for i in range(n)]
    return pl.DataFrame(
        {
            "question_id": [f"q-{g}-{p}-{i}" for g, p, i in rows],
            "answer_id": [f"a-{g}-{p}-{i}" for g, p, i in rows],
            "group": [g for g, _, _ in rows],
            "part": [p for _, p, _ in rows],
        }
    )


def counted(settings: EstimateJob, k: int = 10, n_prompts: int = 0) -> dict[tuple[str, str], tuple[int, int]]:
    found = count_work(settings, {"single": samples(), "multi": samples()}, Attributes(k, "exact"), n_prompts)
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
        # 2 groups x 2 questions x 3 samples x 12 conditions and controls
        ("label_answers", pair.format("generation")): (144 * 10, 2),
        ("extract_activations", "attribute sentence"): (10, 1),
        # 2 methods x 2 layers x 2 of 3 strengths, 1 at the best pair, 1 unsteered; 2 questions
        ("choose_strength", "token"): (2 * (8 + 1 + 1) * 10, 1),
        ("choose_strength", pair.format("tried text")): (20 * 10, 0),
        ("choose_strength", "text"): (20, 0),
        ("generate_answers", "token"): (144 * 10, 4),
        ("measure_fluency", "text"): (144, 1),
    }


def test_cross_targets_describing_by_a_model_and_a_model_of_the_hub() -> None:
    hub = {"lm": {"repo": "a/b", "revision": "0" * 40}}
    found = counted(job(generation={"targets": "cross"}, description={"describer": "llm"}, models=hub), n_prompts=8)
    assert found["measure_fluency", "text"][0] == 2 * 144
    # the two conditions that name no group and steer nowhere are generated once for both targets
    assert found["generate_answers", "token"][0] == 12 * (2 * 10 + 2) * 10
    assert found["describe_style", "prompt"] == (9 * 8, 1)
    assert ("train_scratch_lm", "training step") not in found


def test_measures_cost_one_look_at_a_text_and_no_sfam() -> None:
    found = counted(job(labeling={"scorer": "measured"}))
    assert found["label_answers", "answer"] == (18, 2) and found["label_answers", "generation"] == (144, 2)
    assert found["choose_strength", "tried text"] == (20, 0) and found["calibrate_measures", "answer"] == (8, 1)
    assert not {"train_sfam", "distil_student"} & {rule for rule, _ in found}


def test_tagging_counts_answers_and_what_is_scored_by_measures() -> None:
    tagger = {"tagger": "en_core_web_sm"}
    found = counted(job(syntax=tagger))
    # stylometry measures split multi, too, which is in no experiment
    assert found["tag_answers", "answer"] == (36, 2) and ("tag_answers", "generation") not in found
    found = counted(job(syntax=tagger, labeling={"scorer": "measured"}))
    assert found["tag_answers", "answer"] == (36, 2) and found["tag_answers", "generation"] == (144, 1)
    assert found["choose_strength", "tagged text"] == (20, 0)
    hub = {"lm": {"repo": "a/b", "revision": "0" * 40}}
    found = counted(job(syntax=tagger, description={"describer": "llm"}, models=hub), n_prompts=8)
    assert found["tag_answers", "answer"] == (18, 1)
    assert "tag_answers" not in {rule for rule, _ in counted(job())}


def test_a_student_costs_its_lessons_and_one_pass_per_text() -> None:
    lessons = {"n_answers": 5, "n_heldout": 1, "max_epochs": 3}
    found = counted(job(labeling={"scorer": "distilled"}, distillation=lessons))
    assert found["label_answers", LESSON] == ((5 + 1 + 1) * 10, 2)
    assert found["distil_student", "answer and epoch"] == (3 * 5, 1)
    assert found["label_answers", "answer"] == (18, 2) and found["label_answers", "generation"] == (144, 2)
    assert found["choose_strength", "tried text"] == (20, 0)


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
