"""The watcher beside a run on the cluster: says why jobs wait, hang or fail, and leaves none behind.

One call of squeue per round, however many jobs there are. It outlives Snakemake by some seconds: what is still in
the queue then, whichever way Snakemake ended, is cancelled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sociolect.slurm.commands import FINAL, QueuedJob, ask, cancel, nodes_of, queue
from sociolect.slurm.evidence import gather
from sociolect.slurm.fitting import ASKED
from sociolect.slurm.history import refused_of, while_full
from sociolect.slurm.nodes import bad_nodes, excluded
from sociolect.slurm.room import no_room
from sociolect.slurm.runs import (
    Submitted,
    close_run,
    folders_of,
    names_of,
    note_full,
    read_driver,
    read_lines,
    stopping,
    submissions,
)
from sociolect.slurm.states import failed_on
from sociolect.slurm.verdicts import Cause, explain

# How long a job waits for its turn before that is worth a line, and how long until it is said again, in seconds. With
# half a minute between two looks nothing waits for longer than a minute without a word.
PATIENCE_S = 25.0
AGAIN_S = 900.0
# Neither waits in line nor is at work: worth a line if it is still so at the next look.
BETWEEN = {
    "COMPLETING",
    "CONFIGURING",
    "REQUEUED",
    "REQUEUE_FED",
    "REQUEUE_HOLD",
    "RESV_DEL_HOLD",
    "SPECIAL_EXIT",
    "STOPPED",
    "SUSPENDED",
}
# How long a stopped Snakemake has to cancel its jobs itself, in seconds.
GRACE_S = 15.0
# COMPLETING: cancelled already, or done, and being cleaned up
OVER = FINAL | {"COMPLETING"}
ORDINARY = ("Resources", "Priority", "None", "")

Say = Callable[[str], None]


@dataclass
class Watcher:
    """What was said already, so that a line comes once."""

    run: Path
    state: Path
    causes: Sequence[Cause]
    say: Say
    ended: set[str] = field(default_factory=set)
    said: dict[str, float] = field(default_factory=dict)
    excluded_from: dict[str, str] = field(default_factory=dict)
    between: set[tuple[str, str]] = field(default_factory=set)
    silent_since: float | None = None
    full_since: float | None = None
    lines_read: int = 0

    def round(self, now: float) -> None:
        """Look at the disks and the queue once."""
        everything = submissions(self.run)
        self._room(everything, now)
        self._submitting(now)
        jobs = [job for job in everything if job.job not in self.ended]
        # without a job it is asked whether somebody answers: the first submission may wait for that
        queued = queue(names_of(self.run) or [self.run.name])
        if queued is None:
            if self.silent_since is None:
                self.silent_since = now
                self.say("[slurm] the controller does not answer; waiting for it, nothing is lost")
            return
        if self.silent_since is not None:
            self.say(f"[slurm] the controller answers again, after {now - self.silent_since:.0f} s")
            self.silent_since = None
        self._waiting([(job, queued[job.job]) for job in jobs if _is(queued, job, "PENDING")], now)
        for job in jobs:
            found = queued.get(job.job)
            if found is None:
                continue
            if found.state in FINAL:
                self.ended.add(job.job)
                if found.state != "COMPLETED":
                    entry = gather(job, found, now=now)
                    entry = entry if self.full_since is None else while_full(entry)
                    self.say(f"[why] {explain(entry, self.causes).line()}")
            elif found.state == "RUNNING":
                self._hanging(job, found, now)
        self._in_between([(job, queued[job.job]) for job in jobs if job.job in queued], now)

    def carefully(self, look: Callable[[], None], what: str) -> None:
        """Look, and say what kept it from that: what matters most comes after the run."""
        try:
            look()
        except Exception as error:
            self._once(what, time.time(), f"[slurm] the watcher could not {what}: {type(error).__name__}: {error}")

    def refusals(self) -> None:
        """Say what sbatch refused, once; cheap enough for many times a second."""
        path = self.run / "jobs.jsonl"
        size = path.stat().st_size if path.exists() else 0
        if size == self.lines_read:
            return
        self.lines_read = size
        for verdict in refused_of(self.run):
            if verdict.label not in self.said:
                self.said[verdict.label] = time.time()
                self.say(f"[refused] {verdict.line()}")

    def _once(self, key: str, now: float, line: str) -> None:
        """Say a line, and again after a quarter of an hour."""
        if now - self.said.get(key, -AGAIN_S) >= AGAIN_S:
            self.said[key] = now
            self.say(line)

    def _room(self, jobs: list[Submitted], now: float) -> None:
        """A full disk: ends are held back and submissions wait, until there is room again."""
        full = no_room(folders_of(self.run, jobs))
        if full:
            self.full_since = now if self.full_since is None else self.full_since
            note_full(self.run, True)  # the next look at the states blames no node, even if there is room by then
            self._once("full", now, f"[disk] {full}: the run waits for room and goes on by itself. Do: free some space")
        elif self.full_since is not None:
            self.say(f"[disk] there is room again, after {now - self.full_since:.0f} s")
            self.full_since = None
            self.said.pop("full", None)

    def _submitting(self, now: float) -> None:
        """Submissions that wait: for the controller, or for a limit of jobs in the queue."""
        said = []
        for path in self.run.glob("waits.*"):
            with suppress(OSError):  # it has gone on since
                said.append(path.read_text(encoding="utf-8"))
        for line in sorted(set(said) - {""}):
            self._once(line, now, f"[waiting] {said.count(line)} submissions are tried until SLURM takes them: {line}")

    def _in_between(self, jobs: list[tuple[Submitted, QueuedJob]], now: float) -> None:
        """Jobs that are suspended, or whose nodes are made ready or cleaned up."""
        seen = {(job.job, found.state) for job, found in jobs if found.state in BETWEEN}
        for job, found in jobs:
            key = job.job, found.state
            if key in seen & self.between:
                verdict = explain(gather(job, found, now=now), self.causes)
                self._once(" ".join(key), now, f"[waiting] {verdict.line()}")
        self.between = seen

    def _waiting(self, pending: list[tuple[Submitted, QueuedJob]], now: float) -> None:
        groups: dict[tuple[str, str], list[str]] = {}
        for job, found in pending:
            if found.reason in ORDINARY and now - job.time < PATIENCE_S:
                continue
            verdict = explain(gather(job, found, now=now, ask_controller=False), self.causes)
            groups.setdefault((verdict.title, verdict.remedy), []).append(f"{job.label} (job {job.job})")
        for (title, remedy), labels in groups.items():
            more = f" and {len(labels) - 1} more" if len(labels) > 1 else ""
            self._once(title, now, f"[waiting] {labels[0]}{more}: {title}. Do: {remedy}")
        self._keep_off_bad_nodes([job for job, _ in pending])

    def _keep_off_bad_nodes(self, pending: list[Submitted]) -> None:
        """Jobs that wait since before a node was found bad are kept off it, too; and no longer off the node that failed
        them, once no other one can be used."""
        bad, failed = bad_nodes(self.state), failed_on(self.run)
        groups: dict[tuple[Any, ...], list[Submitted]] = {}
        for job in pending:
            if not job.own_exclude and (bad or job.excluded or failed.get(job.comment)):
                groups.setdefault(tuple(getattr(job, key) for key in ASKED), []).append(job)
        for asked, jobs in groups.items():
            fitting = nodes_of(*asked)
            changed: dict[str, list[str]] = {}
            for job in jobs if fitting else ():
                nodes = ",".join(excluded(failed.get(job.comment, []), bad, fitting))
                if nodes != self.excluded_from.get(job.job, job.excluded):
                    changed.setdefault(nodes, []).append(job.job)
            for nodes, ids in changed.items():
                if ask(["scontrol", "update", f"jobid={','.join(ids)}", f"excnodelist={nodes}"]) is not None:
                    self.excluded_from.update(dict.fromkeys(ids, nodes))

    def _hanging(self, job: Submitted, found: QueuedJob, now: float) -> None:
        verdict = explain(gather(job, found, now=now, ask_controller=False), self.causes)
        if verdict.cause != "?":
            # the controller knows whether it was suspended meanwhile
            verdict = explain(gather(job, found, now=now), self.causes)
        if verdict.cause != "?":
            self._once(f"{job.job} {verdict.cause}", now, f"[stuck] {verdict.line()}")


def watch(watcher: Watcher, interval: float) -> None:
    """Look every `interval` seconds until Snakemake has ended, then cancel what it left behind."""
    driver = read_driver(watcher.run)
    due, stopped, looks, silent = 0.0, 0.0, 0, 0
    while driver.alive():
        if stopping(watcher.run):
            stopped = stopped or time.monotonic()
            # Snakemake may be stuck in its own stop; once its jobs have ended it has nothing to wait for
            if time.monotonic() - stopped > GRACE_S:
                left = _left(watcher.run)
                if left:
                    cancel(left)
                silent = silent + 1 if left is None else 0
                # an interrupt can be lost, and a thread be waited for without end: as Ctrl-C a second time; a
                # controller that is away tells nothing of its jobs, which are cancelled below in any case
                if silent > 1 or (left == [] and looks):
                    driver.interrupt()
                stopped, looks = time.monotonic(), looks + 1
        elif time.monotonic() >= due:
            watcher.carefully(lambda: watcher.round(time.time()), "look at the queue")
            due = time.monotonic() + interval
        watcher.carefully(watcher.refusals, "read the record")
        time.sleep(0.5)
    watcher.carefully(watcher.refusals, "read the record")
    leave_nothing_behind(watcher.run, watcher.say)


def leave_nothing_behind(run: Path, say: Say, patience: float = 600.0) -> bool:
    """Cancel all jobs of a run that are not at their end; whether the queue is known to be free of them.

    A submission that was under way when Snakemake ended is waited for.
    """
    deadline = time.monotonic() + patience
    cancelled: list[str] = []
    quiet_since: float | None = None
    while time.monotonic() < deadline:
        left = _left(run)
        if left:
            quiet_since = None
            fresh = [job for job in left if job not in cancelled]
            if not fresh or cancel(fresh):
                cancelled += fresh
        elif left is not None:
            quiet_since = quiet_since or time.monotonic()
            if time.monotonic() - quiet_since >= (5.0 if _submitting(run) else 0.0):
                if cancelled:
                    say(f"[stop] cancelled what Snakemake left behind: {_list(run, cancelled)}")
                close_run(run)
                return True
        time.sleep(1.0)
    names = " ".join(f"--name={name}" for name in names_of(run))
    say(f"[stop] SLURM did not confirm that all jobs of this run are gone; they may still run: scancel {names}")
    return False


def _left(run: Path) -> list[str] | None:
    """Jobs of a run that wait or go on; None if the controller does not answer."""
    queued = queue(names_of(run))
    return None if queued is None else [job.job for job in queued.values() if job.state not in OVER]


def _submitting(run: Path) -> bool:
    lines = read_lines(run)
    return sum("job" not in line for line in lines) > sum("job" in line for line in lines)


def _list(run: Path, jobs: Sequence[str]) -> str:
    labels = {job.job: job.label for job in submissions(run)}
    return ", ".join(f"{labels.get(job, 'a submission under way')} (job {job})" for job in jobs)


def _is(queued: dict[str, QueuedJob], job: Submitted, state: str) -> bool:
    return job.job in queued and queued[job.job].state == state
