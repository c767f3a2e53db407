"""The estimate: units worked out by hand, the table's arithmetic, and what a run took beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import ESTIMATE, RATES
from sociolect.estimate.probing import time_rounds, time_steps
from sociolect.estimate.table import actual_hours, compare_rules, estimate_table, render, verdict
from sociolect.estimate.units import LESSON, Attributes, Work, attributes_of, count_work
from sociolect.settings.config import load_config
from sociolect.settings.estimate import EstimateJob

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
    assert attributes_of(job(description={"describer": "llm"}), None) == Attributes(768, "at most")
    assert attributes_of(job(), samples()) == Attributes(18, "exact")


def test_no_samples_is_an_error_that_names_the_split() -> None:
    with pytest.raises(InputError, match="split 'single' has no samples"):
        count_work(job(), {"single": samples().clear()}, Attributes(1, "exact"), 0)
    with pytest.raises(InputError, match=r"experiments\.main needs split 'single'"):
        count_work(job(), {"multi": samples()}, Attributes(1, "exact"), 0)


def rates(device: str = "cpu", **seconds: float) -> pl.DataFrame:
    known = {"imports": 5.0, "loading": 1.0, **seconds}
    rows = [(name, "unit", 1, 1.0, rate, device, "float32", 1) for name, rate in known.items()]
    return RATES.frame(rows)


WORK = [
    Work("label_answers", "teacher", "pair of answer and attribute", 36_000, "exact", 4),
    Work("choose_strength", "generation", "token", 1_200, "at most", 1),
    Work("choose_strength", "fluency", "text", 300, "at most"),
    Work("describe_style", "describing", "answer", 0, "exact", 0, gpus=0),
]


def test_hours_are_units_times_rate_and_starts() -> None:
    known = {"teacher": 0.1, "generation": 0.5, "fluency": 2.0, "describing": 1.0}
    frame = check_table(estimate_table(WORK, rates("GPU", **known)), ESTIMATE, "estimate")
    hours = [(3600 + 4 * 6) / 3600, (600 + 6) / 3600, 600 / 3600, 0]
    assert frame["hours"].to_list() == pytest.approx(hours)
    assert frame["gpu_hours"].to_list() == pytest.approx(hours)
    assert frame["share"].to_list() == pytest.approx([h / sum(hours) for h in hours])
    assert estimate_table(WORK, rates("cpu", **known))["gpu_hours"].sum() == 0
    with pytest.raises(InputError, match="no probe 'fluency'"):
        estimate_table(WORK, rates(teacher=1.0, generation=1.0, describing=1.0))
    # nothing to do is no division by zero
    check_table(estimate_table(WORK[3:], rates(describing=1.0)), ESTIMATE, "estimate")


def test_over_budget_says_what_to_change() -> None:
    frame = estimate_table(WORK, rates(teacher=0.1, generation=0.5, fluency=2.0, describing=1.0))
    assert verdict(frame, 2) == "within budget: 1.34 of 2 h"
    assert verdict(frame, 1) == (
        "OVER BUDGET: 1.34 of 1 h. label_answers (pair of answer and attribute) takes 75% of it: "
        "set labeling.scorer: distilled"
    )


def benchmark(file: Path, seconds: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:01\t10\n")


def test_what_it_took_comes_from_the_benchmarks(tmp_path: Path) -> None:
    for shard, seconds in (("single/1-of-2", "1800"), ("single/2-of-2", "1800"), ("generations-main/1-of-2", "360")):
        benchmark(tmp_path / f"label_answers/{shard}.tsv", seconds)
    benchmark(tmp_path / "label_answers/single/1-of-3.tsv", "9999")
    os.utime(tmp_path / "label_answers/single/1-of-3.tsv", (0, 0))
    benchmark(tmp_path / "choose_strength/main.tsv", "2412")
    benchmark(tmp_path / "import_corpus/single.tsv", "NA")
    took = actual_hours(tmp_path)
    assert {rule: jobs for rule, (_, jobs) in took.items()} == {
        "label_answers": 3,
        "choose_strength": 1,
        "import_corpus": 1,
    }
    assert [took[rule][0] for rule in ("label_answers", "choose_strength", "import_corpus")] == pytest.approx(
        [1.1, 0.67, 0]
    )
    frame = estimate_table(WORK, rates(teacher=0.1, generation=0.5, fluency=2.0, describing=1.0))
    rules = {row["rule"]: row for row in compare_rules(frame, took).iter_rows(named=True)}
    # 3 of 4 jobs have run: no ratio yet
    assert rules["label_answers"]["ratio"] is None and rules["label_answers"]["actual_jobs"] == 3
    assert rules["choose_strength"]["ratio"] == pytest.approx(2412 / (606 + 600))
    assert rules["describe_style"]["actual_hours"] is None
    text = render_text(frame, took)
    assert "3/4" in text and "2.00" in text and "other rules" in text
    assert "took" not in render_text(frame, {})
    benchmark(tmp_path / "broken.tsv", "soon")
    with pytest.raises(InputError, match=r"broken\.tsv: not a benchmark"):
        actual_hours(tmp_path)


def render_text(frame: pl.DataFrame, took: dict[str, tuple[float, int]]) -> str:
    with open(os.devnull, "w") as nowhere:
        console = Console(width=150, record=True, file=nowhere)
        console.print(render(frame, took, "Estimate"))
    return console.export_text()


def test_rounds_grow_to_the_full_size_and_steps_are_broken_off() -> None:
    asked: list[int] = []

    def run(n: int) -> int:
        asked.append(n)
        return 3 * n

    timed = time_rounds(run, 100, 1e-4)
    assert asked[:5] == [1, 1, 8, 64, 100] and set(asked[5:]) == {100} and len(asked) >= 7
    assert timed.n % 300 == 0 and timed.rate > 0
    steps: list[int] = []

    def train(report: Any) -> None:
        for step in range(10**6):
            steps.append(step)
            report(step, 10**6, "")

    assert time_steps(train, 1e-3).n == len(steps) - 3
    with pytest.raises(InputError, match="ended after 1 steps"):
        time_steps(lambda report: report(1, 1, ""), 1.0)
