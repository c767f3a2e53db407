"""States of jobs: what must hold whatever SLURM answers."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import ROOT
from sociolect.slurm.commands import QueuedJob, Step
from sociolect.slurm.history import evidence_of
from sociolect.slurm.runs import Submitted, add_line, begin_run, stop_submitting
from sociolect.slurm.states import LOST_AFTER_S, Memory, latest, newly_failed, states_of, word_for_plugin


def job(number: int, slurm_log: str = "") -> Submitted:
    return Submitted(str(number), "run", "rule", slurm_log=slurm_log)


def queued(number: int, state: str) -> dict[str, QueuedJob]:
    return {str(number): QueuedJob(str(number), state, "", "", 0)}


def accounted(number: int, state: str) -> dict[str, list[Step]]:
    return {str(number): [Step(str(number), state, "0:0", "n", 1, 0, "", "")]}


def test_job_that_the_controller_forgot_is_found_in_the_accounting() -> None:
    # "CANCELLED by 1000" is the state for which the plugin waits without end
    assert states_of([job(1)], {}, accounted(1, "CANCELLED by 1000"), Memory(), 0.0) == {"1": "CANCELLED"}
    # what the controller has lost the accounting may call running for ever
    memory = Memory()
    assert states_of([job(1)], {}, accounted(1, "RUNNING"), memory, 0.0) == {}
    assert states_of([job(1)], {}, accounted(1, "RUNNING"), memory, LOST_AFTER_S) == {"1": "LOST"}


def test_job_that_nobody_knows_is_lost_after_a_while_and_not_before(tmp_path: Path) -> None:
    log = tmp_path / "2.log"
    log.write_text("[start] job=2\n[end] job=2 rc=0 seconds=3\n")
    jobs, memory = [job(1), job(2, str(log))], Memory()
    # the second one's own last line says that it ended well
    assert states_of(jobs, {}, {}, memory, 1000.0) == {"2": "COMPLETED"}
    assert states_of(jobs, {}, {}, memory, 1000.0 + LOST_AFTER_S - 1) == {"2": "COMPLETED"}
    assert states_of(jobs, {}, {}, memory, 1000.0 + LOST_AFTER_S) == {"1": "LOST", "2": "COMPLETED"}


def test_no_answer_ends_no_job_and_time_without_answers_does_not_count() -> None:
    memory = Memory()
    assert states_of([job(1)], None, {}, memory, 0.0) == {}
    assert states_of([job(1)], None, {}, memory, 10 * LOST_AFTER_S) == {}
    assert states_of([job(1)], {}, {}, memory, 10 * LOST_AFTER_S) == {}
    assert states_of([job(1)], queued(1, "RUNNING"), {}, memory, 20 * LOST_AFTER_S) == {"1": "RUNNING"}
    assert states_of([job(1)], {}, {}, memory, 30 * LOST_AFTER_S) == {}, "it was seen again in between"


def test_end_is_remembered_and_said_in_a_word_that_the_plugin_knows() -> None:
    memory = Memory()
    for state in ("PREEMPTED", "NODE_FAIL", "LOST"):
        assert word_for_plugin(state) == "FAILED"
    assert word_for_plugin("TIMEOUT") == "TIMEOUT"
    before = dict(memory.final)
    first = states_of([job(1)], queued(1, "TIMEOUT"), {}, memory, 0.0)
    assert first == {"1": "TIMEOUT"} and newly_failed(before, first) == ["1"]
    # purged by the controller since, and no accounting: still the same end, and no news
    assert states_of([job(1)], {}, {}, memory, 1e9) == first
    assert newly_failed(memory.final, first) == []


def test_id_that_a_crashed_controller_gave_out_again_is_another_job() -> None:
    memory, first = Memory(), replace(job(1), time=10.0)
    assert states_of(latest([first], memory), queued(1, "COMPLETED"), {}, memory, 20.0) == {"1": "COMPLETED"}
    memory.nodes, memory.held, memory.ended_full = {"1": "n", "2": "n"}, ["1", "2"], ["1", "2"]
    both = latest([first, replace(first, time=30.0)], memory)
    assert (memory.nodes, memory.held, memory.ended_full) == ({"2": "n"}, ["2"], ["2"])
    assert [row.time for row in both] == [30.0]
    assert states_of(both, queued(1, "RUNNING"), {}, memory, 40.0) == {"1": "RUNNING"}, "not the first one's end"
    # asked again, the second one's own end is remembered
    assert states_of(latest(both, memory), queued(1, "FAILED"), {}, memory, 50.0) == {"1": "FAILED"}
    assert states_of(latest(both, memory), {}, {}, memory, 60.0) == {"1": "FAILED"}


def many(folder: Path, monkeypatch: pytest.MonkeyPatch, state: str, scontrol: str = "") -> Path:
    """A run whose ten jobs are all in this state, and stand-ins on PATH; scontrol notes its calls."""
    run = begin_run(folder, "", [])
    for number in range(10):
        add_line(run, {"job": str(number), "name": "u", "rule": "r", "comment": f"rule_r_{number}", "time": 0.0})
    for name, body in {
        "squeue": f'for job in 0 1 2 3 4 5 6 7 8 9; do echo "$job|{state}|n1|0:05|None"; done',
        "scontrol": f"echo x >>{folder}/asked; {scontrol}",
        "sacct": "",
    }.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return run


def asked(folder: Path) -> int:
    calls = folder / "asked"
    return len(calls.read_text().split()) if calls.exists() else 0


@pytest.mark.parametrize(
    ("state", "stopped", "calls"), [("CANCELLED", False, 0), ("FAILED", True, 0), ("FAILED", False, 10)]
)
def test_poll_asks_for_single_jobs_only_where_a_node_can_be_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, stopped: bool, calls: int
) -> None:
    run = many(tmp_path, monkeypatch, state)
    if stopped:
        stop_submitting(run)
    poll = [sys.executable, str(ROOT / "workflow/tools/query_jobs.py"), "--run", str(run), "--name", "u"]
    done = subprocess.run(poll, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [f"{job}|{state}" for job in range(10)] and done.stderr == ""
    assert asked(tmp_path) == calls


def test_slow_controller_is_asked_for_single_jobs_for_some_seconds_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = many(tmp_path, monkeypatch, "FAILED", "sleep 0.3; echo JobId=1 JobState=FAILED ExitCode=0:53 NodeList=n1")
    entries = evidence_of(run, asking_s=0.4)
    assert 1 <= asked(tmp_path) <= 2
    assert (
        entries[0].exit_code == "0:53" and [(entry.state, entry.node) for entry in entries] == [("FAILED", "n1")] * 10
    )
