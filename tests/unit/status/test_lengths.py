"""How long jobs take: as before, as others of their rule, as estimated and corrected, or nobody knows."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from sociolect.common.artifacts import write_table
from sociolect.common.schemas import ESTIMATE
from sociolect.dag.job_states import JobState
from sociolect.dag.planned import Job
from sociolect.status.lengths import (
    ESTIMATED,
    LONGER,
    TOOK,
    UNKNOWN,
    Length,
    clock,
    correction,
    estimated_seconds,
    lengths_left,
)

NOW = 1000.0


def job(number: int, rule: str, log: bool = True) -> Job:
    return Job(number, rule, "sfam", log=Path(f"logs/{number}.log") if log else None)


def test_a_job_is_as_long_as_before_or_as_others_of_its_rule_or_as_estimated() -> None:
    jobs = [job(0, "label"), job(1, "label"), job(2, "label"), job(3, "fit"), job(4, "ask"), job(5, "all", log=False)]
    states = [JobState("done", seconds=10.0), JobState("done", seconds=20.0), JobState("to do")]
    states += [JobState("rerun", seconds=7.0), JobState("failed"), JobState("to do")]
    found = lengths_left(jobs, states, {}, NOW)
    assert found[2] == Length(15.0, 15.0, TOOK) and found[3] == Length(7.0, 7.0, TOOK)
    assert found[4] == Length(0.0, math.inf, UNKNOWN)
    # a target makes nothing, and what is done is not left
    assert found[5].high == 0 and set(found) == {2, 3, 4, 5}


def test_an_estimate_is_corrected_by_what_ended_and_the_range_has_both() -> None:
    # 30 s were said of both jobs of label, and they took 45 s
    took = {"label": [20.0, 25.0], "other": [99.0]}
    assert correction(took, {"label": 15.0, "ask": 8.0}) == 1.5
    assert correction({}, {"label": 15.0}) is None and correction(took, {"ask": 8.0}) is None
    jobs = [job(0, "label"), job(1, "label"), job(2, "ask")]
    states = [JobState("done", seconds=20.0), JobState("done", seconds=25.0), JobState("to do")]
    assert lengths_left(jobs, states, {"label": 15.0, "ask": 8.0}, NOW)[2] == Length(8.0, 12.0, ESTIMATED)
    assert lengths_left(jobs[2:], states[2:], {"ask": 8.0}, NOW)[2] == Length(8.0, 8.0, ESTIMATED)
    faster = [JobState("done", seconds=5.0), JobState("done", seconds=10.0), JobState("to do")]
    assert lengths_left(jobs, faster, {"label": 15.0, "ask": 8.0}, NOW)[2] == Length(4.0, 8.0, ESTIMATED)


def test_what_a_running_job_has_had_is_taken_off() -> None:
    def rest(seconds: float | None, **beat: float) -> Length:
        said = {"began": 960.0, "time": 990.0, **beat}
        return lengths_left([job(0, "fit")], [JobState("running", seconds=seconds, beat=said)], {}, NOW)[0]

    # 40 s of 100 have gone
    assert rest(100.0) == Length(60.0, 60.0, TOOK)
    # longer than before: nobody knows how much longer
    assert rest(30.0) == Length(0.0, math.inf, LONGER)
    # its stage said 50 s left, ten seconds ago: at least that, whatever it took before
    assert rest(100.0, eta_s=50.0) == Length(40.0, 60.0, TOOK)
    assert rest(30.0, eta_s=50.0) == Length(40.0, 40.0, TOOK)
    assert rest(None, eta_s=50.0) == Length(40.0, math.inf, UNKNOWN)
    # the clock of the node is an hour ahead
    assert rest(100.0, began=4560.0, time=4590.0) == Length(70.0, 70.0, TOOK)


def test_the_estimate_says_seconds_of_a_job_by_rule(tmp_path: Path) -> None:
    rows = [
        ("train_sfam", "step", "about", 10, 1.0, 1, 0.5, 0.0, 0.5, "cpu"),
        ("train_sfam", "answer", "about", 10, 1.0, 1, 0.1, 0.0, 0.1, "cpu"),
        ("label_answers", "pair", "exact", 10, 1.0, 4, 0.4, 0.0, 0.4, "cpu"),
    ]
    write_table(ESTIMATE.frame(rows), tmp_path / "e.parquet", ESTIMATE, {})
    assert estimated_seconds(tmp_path / "e.parquet") == pytest.approx({"train_sfam": 1080.0, "label_answers": 360.0})
    assert estimated_seconds(tmp_path / "none.parquet") == {}


def test_the_clock_names_another_day() -> None:
    noon = time.mktime((2026, 3, 2, 12, 0, 0, 0, 0, -1))
    assert clock(3600, noon) == "13:00" and clock(24 * 3600, noon).endswith(" 12:00") and "Mar" in clock(86400, noon)
