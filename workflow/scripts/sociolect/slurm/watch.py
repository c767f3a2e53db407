"""The watcher beside a run on the cluster: says why jobs wait, hang or fail, and leaves none behind.

One call of squeue per round, however many jobs there are. It outlives Snakemake by some seconds: what is still in
the queue then, whichever way Snakemake ended, is cancelled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sociolect.slurm.commands import FINAL, QueuedJob, ask, cancel, nodes_of, queue
from sociolect.slurm.evidence import gather
from sociolect.slurm.nodes import bad_nodes, excluded
from sociolect.slurm.runs import Submitted, close_run, names_of, read_driver, read_lines, submissions
from sociolect.slurm.verdicts import Cause, explain

# How long a job waits for its turn before that is worth a line, and how long until it is said again, in seconds.
PATIENCE_S = 60.0
AGAIN_S = 900.0
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
    excluded_from: dict[str, tuple[str, ...]] = field(default_factory=dict)
    silent_since: float | None = None

    def round(self, now: float) -> None:
        """Look at the queue once."""
        jobs = [job for job in submissions(self.run) if job.job not in self.ended]
        if not jobs:
            return
        queued = queue(names_of(self.run))
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
                    self.say(f"[why] {explain(gather(job, found, now=now), self.causes).line()}")
            elif found.state == "RUNNING":
                self._hanging(job, found, now)

    def _waiting(self, pending: list[tuple[Submitted, QueuedJob]], now: float) -> None:
        groups: dict[tuple[str, str], list[str]] = {}
        for job, found in pending:
            if found.reason in ORDINARY and now - job.time < PATIENCE_S:
                continue
            verdict = explain(gather(job, found, now=now, ask_controller=False), self.causes)
            groups.setdefault((verdict.title, verdict.remedy), []).append(f"{job.label} (job {job.job})")
        for (title, remedy), labels in groups.items():
            if now - self.said.get(title, -AGAIN_S) >= AGAIN_S:
                self.said[title] = now
                more = f" and {len(labels) - 1} more" if len(labels) > 1 else ""
                self.say(f"[waiting] {labels[0]}{more}: {title}. Do: {remedy}")
        self._keep_off_bad_nodes([job for job, _ in pending])

    def _keep_off_bad_nodes(self, pending: list[Submitted]) -> None:
        """Jobs that wait since before a node was found bad are kept off it, too."""
        bad = bad_nodes(self.state)
        if not bad:
            return
        groups: dict[tuple[str, str, str], list[str]] = {}
        for job in pending:
            if not job.own_exclude:
                groups.setdefault((job.partition, job.gpu_model, job.constraint), []).append(job.job)
        for asked, jobs in groups.items():
            nodes = tuple(excluded(bad, nodes_of(*asked)))
            fresh = [job for job in jobs if self.excluded_from.get(job) != nodes]
            if not nodes or not fresh:
                continue
            update = ["scontrol", "update", f"jobid={','.join(fresh)}", f"excnodelist={','.join(nodes)}"]
            if ask(update) is not None:
                self.excluded_from.update(dict.fromkeys(fresh, nodes))

    def _hanging(self, job: Submitted, found: QueuedJob, now: float) -> None:
        verdict = explain(gather(job, found, now=now, ask_controller=False), self.causes)
        if verdict.cause == "?":
            return
        key = f"{job.job} {verdict.cause}"
        if now - self.said.get(key, -AGAIN_S) >= AGAIN_S:
            self.said[key] = now
            self.say(f"[stuck] {verdict.line()}")


def watch(watcher: Watcher, interval: float) -> None:
    """Look every `interval` seconds until Snakemake has ended, then cancel what it left behind."""
    driver = read_driver(watcher.run)
    due, stopped = 0.0, 0.0
    while driver.alive():
        if (watcher.run / "stopping").exists():
            stopped = stopped or time.monotonic()
            # Snakemake may be stuck in its own stop; once its jobs have ended it has nothing to wait for
            if time.monotonic() - stopped > GRACE_S:
                cancel(_left(watcher.run) or [])
                stopped = time.monotonic()
        elif time.monotonic() >= due:
            try:
                watcher.round(time.time())
            except Exception as error:  # whatever it is: what matters most comes after the run
                watcher.say(f"[slurm] the watcher could not look at the queue: {type(error).__name__}: {error}")
            due = time.monotonic() + interval
        time.sleep(0.5)
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
