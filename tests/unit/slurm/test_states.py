"""States of jobs: what must hold whatever SLURM answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sociolect.slurm.commands import QueuedJob, Step
from sociolect.slurm.runs import Submitted
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
