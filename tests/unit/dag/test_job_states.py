"""States worked out by hand: a made-up project with logs, heartbeats and benchmarks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sociolect.common.heartbeat import write_beat
from sociolect.dag.job_states import LOG_LINES, JobState, ended_jobs, state_of
from sociolect.dag.planned import Job
from sociolect.slurm.history import CAUSES
from sociolect.slurm.verdicts import read_causes

NOW = 1_000_000.0
HEADER = "s\th:m:s\tmax_rss\n"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job with a benchmark of an earlier run and a log, that Snakemake would run; its output is not there."""
    log, benchmark = tmp_path / "logs/fit/main.log", tmp_path / "benchmarks/fit/main.tsv"
    for path, text in ((log, "12:00 begin: fit\n"), (benchmark, HEADER + "75.5\t0:01:15\t704.40\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return Job(
        id=0,
        rule="fit",
        stage="sfam",
        wildcards={"experiment": "main"},
        due=True,
        made=False,
        reason="Missing output files: fit.json",
        cause="no output",
        log=log,
        benchmark=benchmark,
    )


def beat(of: Job, **state: Any) -> None:
    """A heartbeat beside the job's log."""
    assert of.log
    whole = {"stage": "train", "limit_s": 300, "time": NOW, "host": socket.gethostname(), "pid": os.getpid(), "job": ""}
    of.log.with_name("main.log.beat").write_text(json.dumps({**whole, **state}))


def state(job: Job, *ended: str, now: float = NOW) -> JobState:
    return state_of(job, read_causes(CAUSES), ended, now)


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_done_with_its_time_whatever_lies_about(job: Job) -> None:
    beat(job, ended="failed")
    assert state(replace(job, due=False, made=True)) == JobState("done", "", "", 75.5, "12:00 begin: fit")


def test_what_was_never_made_is_to_do(job: Job) -> None:
    assert job.benchmark and job.log
    job.benchmark.unlink()
    job.log.unlink()
    assert state(job) == JobState("to do", "", "Missing output files: fit.json", None, "")


def test_what_is_there_and_out_of_date_is_rerun_with_why(job: Job) -> None:
    why = "Updated input files: prompts.yaml"
    found = state(replace(job, made=True, cause="newer input", reason=why))
    assert found == JobState("rerun", "newer input", why, 75.5, "12:00 begin: fit")


def test_a_living_heartbeat_is_running_and_an_old_one_shows_no_progress(job: Job) -> None:
    beat(job, done=34, total=100)
    found = state(job, now=NOW + 299)
    assert (found.state, found.short) == ("running", "train 34/100")
    assert found.why == f"stage train 34/100 on {socket.gethostname()}"
    assert state(job, now=NOW + 301).why.endswith("; no sign of progress: make why")


def test_made_anew_although_nothing_waits_for_it_is_running_and_then_done(job: Job) -> None:
    beat(job)
    assert state(replace(job, due=False)).state == "running"
    assert state(replace(job, due=False, made=True)).state == "done"


def test_a_program_that_failed_says_its_last_line_and_what_to_do(job: Job) -> None:
    assert job.log
    beat(job, ended="failed")
    job.log.write_text("12:00 begin: fit\nerror: table.csv: missing column answer; add it\n")
    assert state(job).state == "failed"
    assert state(job).why == "error: table.csv: missing column answer; add it"
    job.log.write_text(
        "OSError: [Errno 28] No space left on device\nerror: OSError: [Errno 28] No space left on device\n"
    )
    remedy, word = state(job).why.splitlines()
    assert remedy.startswith("do: ") and word.startswith("error: OSError")


def test_a_killed_program_failed_in_its_stage(job: Job) -> None:
    beat(job, pid=dead_process())
    assert state(job).state == "failed"
    assert "the program was killed in stage train" in state(job).why


def test_of_other_hosts_slurm_alone_can_tell(job: Job) -> None:
    beat(job, host="node7", pid=dead_process(), job="4711")
    assert state(job).state == "running"
    assert state(job, "4712").state == "running"
    assert state(job, "4711").state == "failed"


def test_jobs_of_closed_runs_have_ended(tmp_path: Path) -> None:
    for run, number in (("closed-1", "1"), ("open-1", "2")):
        folder = tmp_path / "runs" / run
        folder.mkdir(parents=True)
        (folder / "driver.json").write_text("{}")
        (folder / "jobs.jsonl").write_text(json.dumps({"job": number, "name": "x", "rule": "fit"}) + "\n")
    (tmp_path / "runs/closed-1/closed").touch()
    assert ended_jobs(tmp_path) == {"1"}
    assert ended_jobs(tmp_path / "none") == set()


def test_a_log_is_shown_by_its_end_and_odd_files_harm_nothing(job: Job) -> None:
    assert job.log and job.benchmark
    job.log.write_bytes(b"first\n" + b"line \xff\n" * LOG_LINES + b"x" * 5000)
    lines = state(job).log_end.splitlines()
    assert len(lines) == LOG_LINES and lines[0] == "line \ufffd" and len(lines[-1]) == 404
    # Snakemake writes the header first
    job.benchmark.write_text(HEADER)
    assert state(job).seconds is None


def test_the_heartbeats_are_those_that_programs_write(job: Job) -> None:
    assert job.log
    write_beat(job.log.with_name("main.log.beat"), "imports")
    assert state(job, now=NOW).short == "imports"
