"""States of a run's jobs for the SLURM plugin, complete and never wrong for lack of an answer.

The plugin asks squeue or sacct alone. With sacct it waits without end for a job that was cancelled ("CANCELLED by
1000"); with squeue for one that the controller has forgotten; and when the command fails five times it forgets all
jobs under way. Here the controller is asked, then the accounting for what it does not know, then the job's own last
line; without an answer a job is simply still under way. Standard library only, save to explain a failure.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from sociolect.slurm.commands import FINAL, QueuedJob, Step, accounting, cancel, plain_state, queue
from sociolect.slurm.evidence import end_code
from sociolect.slurm.runs import Submitted, submissions

# How long a job may be unknown to controller and accounting before it counts as lost, in seconds.
LOST_AFTER_S = 120.0


@dataclass
class Memory:
    """What earlier polls of this run found: final states, and since when a job is unknown."""

    final: dict[str, str] = field(default_factory=dict)
    missing_since: dict[str, float] = field(default_factory=dict)


def states_of(
    jobs: list[Submitted],
    queued: dict[str, QueuedJob] | None,
    accounted: dict[str, list[Step]],
    memory: Memory,
    now: float,
) -> dict[str, str]:
    """Job -> COMPLETED, FAILED, TIMEOUT ... or RUNNING and PENDING; jobs of which nothing is known yet are left out.

    Updates `memory`. A state that ends a job without success is said in a word that the plugin takes as a failure.
    """
    states: dict[str, str] = {}
    for job in jobs:
        if job.job in memory.final:
            states[job.job] = memory.final[job.job]
            continue
        state = ""
        if queued is not None and job.job in queued:
            state = queued[job.job].state
        elif job.job in accounted:
            state = plain_state(accounted[job.job][0].state)
        if not state:
            if queued is None:
                continue
            if now - memory.missing_since.setdefault(job.job, now) < LOST_AFTER_S:
                continue
            state = "COMPLETED" if _ended_well(job) else "FAILED"
        memory.missing_since.pop(job.job, None)
        if state in FINAL:
            memory.final[job.job] = state = _word(state)
        states[job.job] = state
    return states


def poll(run: Path, name: str) -> dict[str, str]:
    """States of the run's jobs of this name now; what was lost is cancelled, so that it cannot write any more."""
    jobs = [job for job in submissions(run) if job.name == name]
    memory = _read(run)
    known = dict(memory.final)
    queued = queue([name])
    open_jobs = [job.job for job in jobs if job.job not in memory.final]
    unknown = [] if queued is None else [job for job in open_jobs if job not in queued]
    states = states_of(jobs, queued, accounting(unknown), memory, time.time())
    lost = [job for job in unknown if states.get(job) == "FAILED" and job not in known]
    cancel(lost)
    _write(run, memory)
    return states


def newly_failed(before: dict[str, str], states: dict[str, str]) -> list[str]:
    """Jobs that have ended without success since the states `before`."""
    return [job for job, state in states.items() if state in FINAL and state != "COMPLETED" and job not in before]


def remembered(run: Path) -> dict[str, str]:
    """Final states that earlier polls found."""
    return _read(run).final


def _word(state: str) -> str:
    # PREEMPTED is waited for although --no-requeue ends it; NODE_FAIL can put "None assigned" into --exclude
    return {"PREEMPTED": "FAILED", "NODE_FAIL": "FAILED", "REVOKED": "FAILED"}.get(state, state)


def _ended_well(job: Submitted) -> bool:
    try:
        return end_code(Path(job.slurm_log).read_text(encoding="utf-8", errors="replace")) == 0
    except OSError:
        return False


def _read(run: Path) -> Memory:
    try:
        return Memory(**json.loads((run / "states.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Memory()


def _write(run: Path, memory: Memory) -> None:
    temporary = run / f".states.json.{os.getpid()}.part"
    temporary.write_text(json.dumps(memory.__dict__), encoding="utf-8")
    os.replace(temporary, run / "states.json")
