"""What is left: by what a job took before, what others of its rule took, the estimate, or nobody knows."""

from __future__ import annotations

from pathlib import Path

from sociolect.dag.job_states import JobState
from sociolect.dag.planned import Job
from sociolect.dag.remaining import job_lengths, summary


def job(number: int, rule: str) -> Job:
    return Job(number, rule, "sfam", log=Path(f"logs/{number}.log"))


JOBS = [
    job(0, "label"),
    job(1, "label"),
    job(2, "label"),
    job(3, "fit"),
    job(4, "ask"),
    job(5, "ask"),
    Job(6, "all", ""),
]
STATES = [
    JobState("done", seconds=10.0),
    JobState("done", seconds=20.0),
    JobState("to do"),
    JobState("rerun", seconds=7.0),
    JobState("failed"),
    JobState("running"),
    JobState("to do"),
]


def test_a_job_is_as_long_as_before_or_as_others_of_its_rule_or_as_estimated() -> None:
    pairs = list(zip(JOBS, STATES, strict=True))[:-1]
    assert job_lengths(pairs, {"label": 99.0, "fit": 99.0}) == [15.0, 7.0, None, None]
    assert job_lengths(pairs, {"ask": 30.0}) == [15.0, 7.0, 30.0, 30.0]


def test_the_summary_counts_jobs_and_no_targets() -> None:
    said = summary(JOBS, STATES, {})
    assert said == (
        "2 of 6 jobs done, 1 failed, 1 running, 1 rerun, 1 to do; left: 22 s of work one after the other, "
        "2 jobs of unknown length (make estimate)"
    )
    assert summary(JOBS[4:], STATES[4:], {}).endswith("; left: 2 jobs of unknown length (make estimate)")
    assert summary(JOBS[:2], STATES[:2], {}) == "2 of 2 jobs done"
