"""The watcher: what it says, how often, and where it lets waiting jobs go."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from sociolect.slurm import runs, watch
from sociolect.slurm.commands import QueuedJob
from sociolect.slurm.history import CAUSES
from sociolect.slurm.nodes import record_bad_node
from sociolect.slurm.verdicts import read_causes
from sociolect.slurm.watch import AGAIN_S, Watcher

Queue = dict[str, QueuedJob]


class Bench:
    """A watcher of one run whose queue and nodes are what a test says."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run = runs.begin_run(folder, "", [])
        self.said: list[str] = []
        self.queue: Queue | None = {}
        self.nodes: dict[str, bool] = {}
        self.full = ""
        self.updates: list[str] = []
        self.watcher = Watcher(self.run, folder, read_causes(CAUSES), self.said.append)
        monkeypatch.setattr(watch, "queue", lambda names: self.queue)
        monkeypatch.setattr(watch, "nodes_of", lambda *asked: self.nodes)
        monkeypatch.setattr(watch, "no_room", lambda folders: self.full)
        monkeypatch.setattr(watch, "ask", self.update)
        monkeypatch.setattr("sociolect.slurm.evidence.controller", lambda job: None)

    def submitted(self, job: str, state: str, reason: str = "", **facts: object) -> None:
        runs.add_line(self.run, {"name": "u", "rule": "r", "job": job, "comment": "rule_r", "time": 0.0, **facts})
        assert self.queue is not None
        self.queue[job] = QueuedJob(job, state, reason, "", 0)

    def update(self, command: list[str]) -> str:
        self.updates.append(command[-1])
        return ""

    def words(self, now: float) -> list[str]:
        self.said.clear()
        self.watcher.round(now)
        return list(self.said)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def test_controller_that_is_away_is_said_before_anything_is_submitted(bench: Bench) -> None:
    bench.queue = None
    (line,) = bench.words(0.0)
    assert line.startswith("[slurm] the controller does not answer") and bench.words(30.0) == []
    bench.queue = {}
    assert bench.words(60.0) == ["[slurm] the controller answers again, after 60 s"]


@pytest.mark.parametrize(
    "state",
    ["SUSPENDED", "COMPLETING", "CONFIGURING", "STOPPED", "RESV_DEL_HOLD", "REQUEUE_HOLD", "SPECIAL_EXIT", "REQUEUED"],
)
def test_job_between_waiting_and_working_is_said_at_the_second_look(bench: Bench, state: str) -> None:
    bench.submitted("7", state)
    assert bench.words(0.0) == []
    (line,) = bench.words(30.0)
    assert line.startswith("[waiting] r: job 7, ") and "Cause K: " in line, "within a minute, by looks every 30 s"
    assert bench.words(60.0) == [] and len(bench.words(30.0 + AGAIN_S)) == 1
    assert bench.queue is not None
    bench.queue["7"] = QueuedJob("7", "RUNNING", "", "", 0)
    assert bench.words(2000.0) == []
    bench.queue["7"] = QueuedJob("7", state, "", "", 0)
    assert bench.words(2030.0) == [], "it is new again"


def test_place_in_line_is_said_within_a_minute(bench: Bench) -> None:
    bench.submitted("7", "PENDING", "Priority")
    assert bench.words(24.0) == [] and "[waiting] r (job 7): waits for a free node" in bench.words(54.0)[0]


def test_full_disk_is_said_and_when_there_is_room_again(bench: Bench) -> None:
    bench.full = "/results: No space left on device"
    assert bench.words(0.0)[0].startswith("[disk] /results: No space left on device: the run waits for room")
    assert bench.words(30.0) == [] and runs.was_full(bench.run)
    bench.full = ""
    assert bench.words(60.0) == ["[disk] there is room again, after 60 s"] and bench.words(90.0) == []


def test_refusal_is_said_once_without_a_look_at_the_queue(bench: Bench) -> None:
    for _ in range(2):
        bench.watcher.refusals()
    runs.add_line(bench.run, {"name": "u", "rule": "r", "job": "", "refused": "sbatch: error: no such account"})
    for _ in range(2):
        bench.watcher.refusals()
    (line,) = bench.said
    assert line.startswith("[refused] r: job -") and "no such account" in line


def test_submission_that_waits_is_said_in_the_words_of_sbatch(bench: Bench) -> None:
    for number in (1, 2):
        (bench.run / f"waits.{number}").write_text("sbatch: error: AssocMaxSubmitJobLimit")
    (line,) = bench.words(0.0)
    assert line.startswith("[waiting] 2 submissions ") and line.endswith("AssocMaxSubmitJobLimit")
    assert bench.words(30.0) == []


def test_waiting_retry_stays_off_the_node_that_failed_it_while_another_can_be_used(
    bench: Bench, tmp_path: Path
) -> None:
    bench.submitted("6", "FAILED")
    bench.submitted("7", "PENDING", "Resources", excluded="n1")
    (bench.run / "states.json").write_text(json.dumps({"final": {"6": "FAILED"}, "nodes": {"6": "n1"}}))
    bench.nodes = {"n1": True, "n2": True, "n3": True}
    bench.words(0.0)
    assert bench.updates == [], "as it was submitted"
    record_bad_node(tmp_path, "n2", "5", "D: no interpreter")
    bench.words(30.0)
    assert bench.updates.pop() == "excnodelist=n1,n2", "the bad one beside its own, not in its place"
    bench.nodes = {"n1": True, "n2": True, "n3": False}
    bench.words(60.0)
    assert bench.updates.pop() == "excnodelist=n2", "its own node is better than the bad one"
    (tmp_path / "bad_nodes/n2").unlink()
    bench.nodes = {"n1": True, "n2": False, "n3": False}
    bench.words(90.0)
    assert bench.updates.pop() == "excnodelist=", "nowhere else to go: it may have the node again"
    bench.nodes = {}
    bench.words(120.0)
    assert bench.updates == [], "sinfo did not answer: nothing is known"


# loses the first interrupt, as a thread of Snakemake's can
DEAF = """
import signal, sys, time
asked = []
signal.signal(signal.SIGTERM, lambda *given: asked.append(given) or (len(asked) > 1 and sys.exit(7)))
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""


def deaf(run: Path) -> subprocess.Popen[str]:
    """A Snakemake that is stuck in its stop drives the run."""
    stuck = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, text=True)
    assert stuck.stdout and stuck.stdout.readline() == "ready\n"
    driver = runs.Driver(stuck.pid, socket.gethostname(), runs.process_started(stuck.pid))
    (run / "driver.json").write_text(json.dumps(asdict(driver)))
    return stuck


def test_snakemake_that_is_stuck_in_its_stop_is_asked_again_once_its_jobs_have_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = deaf(bench.run)
    bench.submitted("5", "RUNNING")
    done: list[str] = []

    def cancelled(jobs: list[str]) -> bool:
        done.append(f"cancelled {jobs[0]}, {stuck.poll()}")
        bench.queue = {}
        return True

    monkeypatch.setattr(watch, "cancel", cancelled)
    monkeypatch.setattr(watch, "GRACE_S", 0.1)
    runs.stop_submitting(bench.run)
    stuck.terminate()
    watch.watch(bench.watcher, 30.0)
    assert stuck.wait(10) == 7 and done == ["cancelled 5, None"] and (bench.run / "closed").exists()


def test_snakemake_that_is_stuck_in_its_stop_is_asked_again_while_the_controller_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = deaf(bench.run)
    runs.add_line(bench.run, {"name": "u"})  # a submission without an answer
    monkeypatch.setattr(watch, "GRACE_S", 0.1)
    monkeypatch.setattr(watch, "leave_nothing_behind", lambda run, say: None)
    looks: list[int | None] = []
    monkeypatch.setattr(watch, "queue", lambda names: looks.append(stuck.poll()))
    runs.stop_submitting(bench.run)
    stuck.terminate()
    killer = threading.Timer(10, stuck.kill)
    killer.start()
    watch.watch(bench.watcher, 30.0)
    killer.cancel()
    assert stuck.wait(10) == 7 and len(looks) >= 2, "not at the first look"


def test_record_that_cannot_be_read_ends_no_watch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = deaf(bench.run)
    runs.add_line(bench.run, {"name": "u", "refused": "no such account", "of another version": 1})
    ended: list[str] = []
    monkeypatch.setattr(watch, "leave_nothing_behind", lambda run, say: ended.append(run.name))
    threading.Timer(1.2, stuck.kill).start()
    watch.watch(bench.watcher, 30.0)
    said = [line for line in bench.said if "could not read the record: TypeError" in line]
    assert len(said) == 1 and ended == [bench.run.name]
