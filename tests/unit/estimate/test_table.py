"""The table's arithmetic, and what a run took beside it."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import ESTIMATE, RATES
from sociolect.estimate.run_times import actual_hours
from sociolect.estimate.table import compare_rules, estimate_table, render, verdict
from sociolect.estimate.units import Work


def rates(device: str = "cpu", **seconds: float) -> pl.DataFrame:
    known = {"imports": 5.0, "loading": 1.0, **seconds}
    rows = [(name, "unit", 1, 1.0, rate, device, "float32", 1) for name, rate in known.items()]
    return RATES.frame(rows)


WORK = [
    Work("label_answers", "teacher", "pair of answer and attribute", 36_000, "exact", 4),
    Work("try_method", "generation", "token", 1_200, "at most", 1),
    Work("try_method", "fluency", "text", 300, "at most"),
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
    benchmark(tmp_path / "try_method/main.tsv", "2412")
    benchmark(tmp_path / "import_corpus/single.tsv", "NA")
    took = actual_hours(tmp_path)
    assert {rule: jobs for rule, (_, jobs) in took.items()} == {
        "label_answers": 3,
        "try_method": 1,
        "import_corpus": 1,
    }
    assert [took[rule][0] for rule in ("label_answers", "try_method", "import_corpus")] == pytest.approx([1.1, 0.67, 0])
    frame = estimate_table(WORK, rates(teacher=0.1, generation=0.5, fluency=2.0, describing=1.0))
    rules = {row["rule"]: row for row in compare_rules(frame, took).iter_rows(named=True)}
    # 3 of 4 jobs have run: no ratio yet
    assert rules["label_answers"]["ratio"] is None and rules["label_answers"]["actual_jobs"] == 3
    assert rules["try_method"]["ratio"] == pytest.approx(2412 / (606 + 600))
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
