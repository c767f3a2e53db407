"""States of a run's jobs for the SLURM plugin, complete and never wrong for lack of an answer.

The plugin asks squeue or sacct alone. With sacct it waits without end for a job that was cancelled ("CANCELLED by
1000"); with squeue for one that the controller has forgotten; and when the command fails five times it forgets all
jobs under way. Here the controller is asked, then the accounting for what it does not know, then the job's own last
line; without an answer a job is simply still under way. Standard library only, save to explain a failure.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sociolect.common.files import write_text
from sociolect.slurm.commands import FINAL, QueuedJob, Step, accounting, cancel, plain_state, queue
from sociolect.slurm.evidence import end_code
from sociolect.slurm.room import no_room
from sociolect.slurm.runs import Submitted, folders_of, note_full, submissions, was_full

# How long a job may be unknown to controller and accounting before it counts as lost, in seconds.
LOST_AFTER_S = 120.0
LOST = "LOST"


@dataclass
class Memory:
    """What earlier polls of this run found: final states, since when a job is unknown, when it was submitted, where it
    failed, and whether a disk was full then.
    """

    final: dict[str, str] = field(default_factory=dict)
    missing_since: dict[str, float] = field(default_factory=dict)
    submitted: dict[str, float] = field(default_factory=dict)
    # of failed jobs
    nodes: dict[str, str] = field(default_factory=dict)
    # ended while a disk was full: not told to Snakemake yet, and for good
    held: list[str] = field(default_factory=list)
    ended_full: list[str] = field(default_factory=list)


def latest(jobs: list[Submitted], memory: Memory) -> list[Submitted]:
    """The last submission of each id. A controller that crashed gives an id out again: then what `memory` knows of the
    id's earlier job is forgotten.
    """
    last = {job.job: job for job in jobs}
    for job in last.values():
        if memory.submitted.setdefault(job.job, job.time) != job.time:
            memory.submitted[job.job] = job.time
            for known in (memory.final, memory.missing_since, memory.nodes):
                known.pop(job.job, None)
            memory.held = [other for other in memory.held if other != job.job]
            memory.ended_full = [other for other in memory.ended_full if other != job.job]
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


def poll(run: Path, name: str, memory: Memory) -> dict[str, str]:
    """States of the run's jobs of this name, to be told now; what was lost is cancelled, so that it writes no more.

    While a disk of the run is full no end is told: Snakemake could not note it and would stop, and what failed for want
    of room would fail again until no attempt is left. Updates `memory`.
    """
    jobs = latest([job for job in submissions(run) if job.name == name], memory)
    known = set(memory.final)
    queued = queue([name])
    open_jobs = [job.job for job in jobs if job.job not in memory.final]
    unknown = [] if queued is None else [job for job in open_jobs if job not in queued]
    accounted = accounting(unknown)
    states = states_of(jobs, queued, accounted, memory, time.time())
    cancel([job for job, state in states.items() if state == LOST and job not in known], name)
    for job in newly_failed(known, states):
        node = queued[job].node if queued and job in queued else accounted[job][0].node if job in accounted else ""
        if re.fullmatch(r"[\w.-]+", node):  # several nodes are no single one's fault
            memory.nodes[job] = node
    _hold(run, [job for job in jobs if job.job in memory.final and job.job not in known], jobs, memory)
    return {job: state for job, state in states.items() if job not in memory.held}


def _hold(run: Path, ended: list[Submitted], jobs: list[Submitted], memory: Memory) -> None:
    """Hold back what has ended while there is no room, and let it go when there is."""
    if not (ended or memory.held or was_full(run)):
        return
    full = bool(no_room(folders_of(run, jobs)))
    fresh = [job.job for job in ended]
    # what ended while it was full could not be remembered where the memory itself lies on the full disk
    if full or was_full(run):
        memory.ended_full += fresh
    memory.held = memory.held + fresh if full else []
    note_full(run, full)


def word_for_plugin(state: str) -> str:
    """A state in a word that the plugin takes for what it is.

    It waits for PREEMPTED although --no-requeue ends it; of NODE_FAIL it can write "None assigned" into --exclude.
    """
    return "FAILED" if state in ("PREEMPTED", "NODE_FAIL", "REVOKED", LOST) else state


def newly_failed(before: Collection[str], states: dict[str, str]) -> list[str]:
    """Jobs that have ended without success, other than those of `before`."""
    ended = FINAL | {LOST}
    return [job for job, state in states.items() if state in ended and state != "COMPLETED" and job not in before]


def may_blame(state: str) -> bool:
    """Whether a job's end can be its node's fault: not where the user, the limit or a dearer job ended it."""
    return state not in ("CANCELLED", "PREEMPTED", "TIMEOUT")


def failed_on(run: Path) -> dict[str, list[str]]:
    """What a job is (its comment in SLURM) -> nodes that failed its attempts in this run, the newest first."""
    nodes = remembered(run).nodes
    found: dict[str, list[str]] = {}
    for job in reversed(submissions(run)):
        if job.job in nodes:
            found.setdefault(job.comment, []).append(nodes[job.job])
    return found


def _own_word(job: Submitted) -> str:
    """What the last line of the job's own log says; nothing if it did not get to it."""
    try:
        code = end_code(Path(job.slurm_log).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    return "" if code is None else "FAILED" if code else "COMPLETED"


def remember(run: Path, memory: Memory) -> None:
    """Write down what a poll found. A full disk takes nothing: then the next poll finds it again."""
    with suppress(OSError):
        write_text(json.dumps(memory.__dict__), run / "states.json", sync=False)


def remembered(run: Path) -> Memory:
    """What earlier polls found."""
    try:
        return Memory(**json.loads((run / "states.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Memory()
