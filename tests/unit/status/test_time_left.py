"""What is said of the time left: a number, a range, or the least, and what it rests on."""

from __future__ import annotations

from pathlib import Path

from sociolect.dag.job_states import JobState
from sociolect.dag.planned import Job
from sociolect.status.time_left import Left, cores, slurm_places, summary, time_left

NOW = 1000.0


def job(number: int, rule: str, *needs: int, log: bool = True, threads: int = 1) -> Job:
    path = Path(f"logs/{number}.log") if log else None
    return Job(number, rule, "sfam", needs=frozenset(needs), log=path, threads=threads)


# train -> four shards of label -> table -> all
JOBS = [
    job(0, "train", threads=2),
    *(job(number, "label", 0) for number in range(1, 5)),
    job(5, "table", 1, 2, 3, 4),
    job(6, "all", 5, log=False),
]
STATES = [
    JobState("running", beat={"began": 940.0, "time": 1000.0, "eta_s": 20.0}),
    *[JobState("to do")] * 4,
    JobState("rerun", seconds=10.0),
    JobState("to do"),
]
ESTIMATED = {"train": 80.0, "label": 30.0}


def test_the_graph_and_the_cores_decide_not_the_sum() -> None:
    # 20 left, two rounds of two shards, 10
    assert time_left(JOBS, STATES, ESTIMATED, cores(2), NOW).low == 20 + 30 + 30 + 10
    assert time_left(JOBS, STATES, ESTIMATED, cores(4), NOW).high == 20 + 30 + 10
    assert time_left(JOBS, STATES, ESTIMATED, cores(1), NOW).high == 20 + 120 + 10


def test_on_a_cluster_it_lies_between_all_at_once_and_what_runs_now() -> None:
    left = time_left(JOBS, STATES, ESTIMATED, slurm_places(1), NOW)
    assert (left.low, left.high, left.said) == (60.0, 150.0, "60 s to 2 min")


def test_the_summary_counts_jobs_and_no_targets_and_says_what_it_rests_on() -> None:
    said = summary(JOBS, STATES, ESTIMATED, cores(2), NOW)
    assert said.startswith("0 of 6 jobs done, 1 running, 1 rerun, 4 to do; left: about 90 s with 2 cores, until ")
    assert said.endswith(", by what such jobs took and the estimate")
    assert summary(JOBS[:1], [JobState("done")], {}, cores(2), NOW) == "1 of 1 jobs done"


def test_without_an_estimate_it_is_at_least_what_is_known() -> None:
    said = summary(JOBS, STATES, {}, cores(2), NOW)
    assert "left: at least 30 s with 2 cores, by what such jobs took, 5 of unknown length (make estimate)" in said


def test_nothing_known_is_not_at_least_zero() -> None:
    assert Left(0.0, 0.0, unknown=2).said == "an unknown time"


def test_a_range_that_is_narrow_is_one_number() -> None:
    assert Left(95.0, 100.0).said == "about 100 s" and Left(50.0, 100.0).said == "50 s to 100 s"


def test_a_job_that_takes_longer_than_such_jobs_took_is_named() -> None:
    jobs, states = [job(0, "train"), job(1, "table", 0)], [JobState("running", seconds=30.0, beat={"began": 900.0})]
    said = summary(jobs, [*states, JobState("rerun", seconds=10.0)], {}, cores(1), NOW)
    assert "left: at least 10 s with 1 core, by what such jobs took, 1 running for longer than such jobs took" in said
