"""A full disk: ends are held back until there is room, nothing is forgotten, and no node is blamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sociolect.slurm import blame, room, runs, states
from sociolect.slurm.commands import QueuedJob
from sociolect.slurm.evidence import Evidence
from sociolect.slurm.history import CAUSES
from sociolect.slurm.nodes import bad_nodes
from sociolect.slurm.room import no_room, write_fault
from sociolect.slurm.runs import Submitted, begin_run
from sociolect.slurm.states import Memory, failed_on, poll, remember, remembered
from sociolect.slurm.verdicts import explain, read_causes

Fill = Callable[[bool], None]


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Fill:
    """Makes every disk full, or gives it room again."""

    def set_full(full: bool) -> None:
        fault = OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)) if full else None
        for module in (room, blame):
            monkeypatch.setattr(module, "write_fault", lambda folder: fault)

    return set_full


def test_write_that_fails_for_want_of_room_is_told_from_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_fault(tmp_path) is None and no_room([tmp_path / "not/there/yet", tmp_path]) == ""
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(room.os, "fsync", lambda number: (_ for _ in ()).throw(OSError(errno.ENOSPC, "no space")))
    assert no_room([tmp_path]) == f"{tmp_path}: no space" and list(tmp_path.iterdir()) == []
    monkeypatch.setattr(room.os, "fsync", lambda number: (_ for _ in ()).throw(OSError(errno.EIO, "broken")))
    assert no_room([tmp_path]) == "" and write_fault(tmp_path) is not None


@pytest.mark.parametrize("forgets", [False, True], ids=["results are full", "the memory's disk is full, too"])
def test_ends_are_held_back_while_the_disk_is_full(
    tmp_path: Path, fill: Fill, monkeypatch: pytest.MonkeyPatch, forgets: bool
) -> None:
    run = begin_run(tmp_path, "", [])
    for number, name in enumerate("abc", 1):
        runs.add_line(run, {"name": "u", "rule": "r", "job": str(number), "comment": f"r_{name}", "time": 1.0})
    queued = {
        str(number): QueuedJob(str(number), state, "", f"node{number}", 0)
        for number, state in enumerate(["COMPLETED", "FAILED", "RUNNING"], 1)
    }
    monkeypatch.setattr(states, "queue", lambda names: queued)

    def look() -> tuple[dict[str, str], Memory]:
        memory = remembered(run)
        told = poll(run, "u", memory)
        if not (forgets and runs.was_full(run)):
            remember(run, memory)
        return told, memory

    fill(True)
    assert look()[0] == {"3": "RUNNING"} == look()[0] and runs.was_full(run)
    fill(False)
    told, memory = look()
    assert told == {"1": "COMPLETED", "2": "FAILED", "3": "RUNNING"}
    assert set(memory.ended_full) == {"1", "2"} and not runs.was_full(run)
    assert failed_on(run) == {"r_b": ["node2"]}
    # what ends afterwards is told at once
    queued["3"] = replace(queued["3"], state="FAILED")
    told, memory = look()
    assert told["3"] == "FAILED" and "3" not in memory.ended_full


def test_memory_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "write_text", lambda *args, **options: (_ for _ in ()).throw(OSError(errno.ENOSPC, "")))
    remember(tmp_path, Memory())
    assert not (tmp_path / "states.json").exists()


def unreachable(job: str, node: str, folder: Path) -> Evidence:
    sent = Submitted(job, "u", "r", slurm_log=str(folder / f"{job}.log"))
    return Evidence(sent, "FAILED", exit_code="0:53", node=node)


def test_node_without_a_log_is_blamed_only_alone_and_only_if_the_log_can_be_written_from_here(
    tmp_path: Path, fill: Fill
) -> None:
    run, causes = begin_run(tmp_path, "", []), read_causes(CAUSES)
    fill(True)
    blame.blame_nodes(run, [unreachable("1", "node01", tmp_path)], causes)
    assert bad_nodes(tmp_path) == [], "the quota is full"
    fill(False)
    blame.blame_nodes(run, [unreachable("2", "node01", tmp_path)], causes)
    assert [bad.node for bad in bad_nodes(tmp_path)] == ["node01"]
    # more than one node is no node's fault, now or later
    for number in (2, 3):
        blame.blame_nodes(run, [unreachable(f"{number}", f"node0{number}", tmp_path)], causes)
        assert bad_nodes(tmp_path) == []


def test_what_failed_alike_on_two_nodes_is_said_to_be_no_nodes_fault(tmp_path: Path) -> None:
    causes = read_causes(CAUSES)
    one, two = (explain(unreachable(f"{n}", f"node0{n}", tmp_path), causes) for n in (1, 2))
    assert blame.acquit([one, one]) == [one, one]
    for verdict in blame.acquit([one, two]):
        assert "the same on node01, node02" in verdict.title and "no node's fault" in verdict.remedy
        assert not verdict.blames_node


def test_two_signals_on_two_nodes_are_two_faults(tmp_path: Path) -> None:
    run, causes = begin_run(tmp_path, "", []), read_causes(CAUSES)
    killed = [
        replace(
            unreachable(f"{number}", f"node0{number}", tmp_path),
            exit_code="1:0",
            rule_log=f"[start] program=x\nerror: killed by {name} in stage model\n",
        )
        for number, name in ((1, "SIGILL"), (2, "SIGBUS"), (3, "SIGILL"))
    ]
    blame.blame_nodes(run, killed[:2], causes)
    assert [bad.node for bad in bad_nodes(tmp_path)] == ["node01", "node02"]
    # a program that does so on every node it comes to
    blame.blame_nodes(run, killed[2:], causes)
    assert [bad.node for bad in bad_nodes(tmp_path)] == ["node02"]
    ill, bus, again = blame.acquit([explain(entry, causes) for entry in killed])
    assert bus.blames_node and not ill.blames_node and not again.blames_node
    assert "constraint" in ill.remedy and "quota" not in ill.remedy


def test_half_a_line_of_a_full_disk_hides_no_other(tmp_path: Path) -> None:
    run = begin_run(tmp_path, "", [])
    with (run / "jobs.jsonl").open("a") as stream:
        stream.write('{"name": "u", "rule": "r", "job": "1')
    runs.add_line(run, {"name": "u", "rule": "r", "job": "2"})
    assert [sent.job for sent in runs.submissions(run)] == ["2"]


def test_full_disk_does_not_keep_a_run_from_being_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin_run(tmp_path, "", [])
    monkeypatch.setattr(Path, "touch", lambda *args, **options: (_ for _ in ()).throw(OSError(errno.ENOSPC, "")))
    runs.stop_submitting(run)
    runs.stop_submitting(run)
    assert (run / "stopping").exists()
    runs.note_full(run, True)
    assert runs.was_full(run)
