"""States of a run's jobs for the SLURM plugin, complete and never wrong for lack of an answer.

The plugin asks squeue or sacct alone. With sacct it waits without end for a job that was cancelled ("CANCELLED by
1000"); with squeue for one that the controller has forgotten; and when the command fails five times it forgets all
jobs under way. Here the controller is asked, then the accounting for what it does not know, then the job's own last
line; without an answer a job is simply still under way. Standard library only, save to explain a failure.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from sociolect.common.files import write_text
from sociolect.slurm.commands import FINAL, QueuedJob, Step, accounting, cancel, plain_state, queue
from sociolect.slurm.evidence import end_code
from sociolect.slurm.runs import Submitted, submissions

# How long a job may be unknown to controller and accounting before it counts as lost, in seconds.
LOST_AFTER_S = 120.0
LOST = "LOST"


@dataclass
class Memory:
    """What earlier polls of this run found: final states, since when a job is unknown, and when it was submitted."""

    final: dict[str, str] = field(default_factory=dict)
    missing_since: dict[str, float] = field(default_factory=dict)
    submitted: dict[str, float] = field(default_factory=dict)


def latest(jobs: list[Submitted], memory: Memory) -> list[Submitted]:
    """The last submission of each id. A controller that crashed gives an id out again: then what `memory` knows of the
    id's earlier job is forgotten.
    """
    last = {job.job: job for job in jobs}
    for job in last.values():
        if memory.submitted.setdefault(job.job, job.time) != job.time:
            memory.submitted[job.job] = job.time
            memory.final.pop(job.job, None)
            memory.missing_since.pop(job.job, None)
    return list(last.values())


def states_of(
    jobs: list[Submitted],
    queued: dict[str, QueuedJob] | None,
    accounted: dict[str, list[Step]],
    memory: Memory,
    now: float,
) -> dict[str, str]:
    """Job -> COMPLETED, FAILED, TIMEOUT ... or RUNNING and PENDING; jobs of which nothing is known yet are left out.

    Updates `memory`. LOST is what neither controller nor accounting knows, and what left no last line.
    """
    states: dict[str, str] = {}
    for job in jobs:
        if job.job in memory.final:
            states[job.job] = memory.final[job.job]
            continue
        state = ""
        if queued is not None and job.job in queued:
            state = queued[job.job].state
        elif queued is not None:
            # the accounting may call a job running for ever that the controller has lost: only an end counts
            said = plain_state(accounted[job.job][0].state) if job.job in accounted else ""
            state = said if said in FINAL else _own_word(job)
            if not state and now - memory.missing_since.setdefault(job.job, now) >= LOST_AFTER_S:
                state = LOST
        if not state:
            continue
        memory.missing_since.pop(job.job, None)
        if state in FINAL or state == LOST:
            memory.final[job.job] = state
        states[job.job] = state
    return states


def poll(run: Path, name: str) -> dict[str, str]:
    """States of the run's jobs of this name now; what was lost is cancelled, so that it cannot write any more."""
    memory = _read(run)
    jobs = latest([job for job in submissions(run) if job.name == name], memory)
    known = set(memory.final)
    queued = queue([name])
    open_jobs = [job.job for job in jobs if job.job not in memory.final]
    unknown = [] if queued is None else [job for job in open_jobs if job not in queued]
    states = states_of(jobs, queued, accounting(unknown), memory, time.time())
    cancel([job for job, state in states.items() if state == LOST and job not in known], name)
    write_text(json.dumps(memory.__dict__), run / "states.json", sync=False)
    return states


def word_for_plugin(state: str) -> str:
    """A state in a word that the plugin takes for what it is.

    It waits for PREEMPTED although --no-requeue ends it; of NODE_FAIL it can write "None assigned" into --exclude.
    """
    return "FAILED" if state in ("PREEMPTED", "NODE_FAIL", "REVOKED", LOST) else state


def newly_failed(before: dict[str, str], states: dict[str, str]) -> list[str]:
    """Jobs that have ended without success since the states `before`."""
    ended = FINAL | {LOST}
    return [job for job, state in states.items() if state in ended and state != "COMPLETED" and job not in before]


def remembered(run: Path) -> dict[str, str]:
    """Final states that earlier polls found."""
    return _read(run).final


def _own_word(job: Submitted) -> str:
    """What the last line of the job's own log says; nothing if it did not get to it."""
    try:
        code = end_code(Path(job.slurm_log).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return "" if code is None else "FAILED" if code else "COMPLETED"


def _read(run: Path) -> Memory:
    try:
        return Memory(**json.loads((run / "states.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Memory()
