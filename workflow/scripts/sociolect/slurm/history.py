"""Verdicts on the jobs of a run: those that failed, those that hang and those that wait."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from sociolect.slurm.blame import acquit
from sociolect.slurm.commands import FINAL, accounting, plain_state, queue
from sociolect.slurm.evidence import UNKNOWN, Evidence, gather
from sociolect.slurm.runs import missing_outputs, names_of, refusals, submissions
from sociolect.slurm.states import LOST, remembered
from sociolect.slurm.verdicts import Cause, Verdict, explain, fold_bad_nodes

CAUSES = Path(__file__).resolve().parents[4] / "profiles" / "slurm" / "causes.yaml"


def evidence_of(
    run: Path, jobs: Collection[str] | None = None, well: bool = True, asking_s: float = math.inf
) -> list[Evidence]:
    """Evidence on the run's submissions, or on these of them, in the order submitted.

    Args:
        well: also of jobs that ended well; without them the controller is asked for the others alone.
        asking_s: seconds in which the controller is asked job by job; of the others squeue and accounting tell enough.
    """
    until = time.monotonic() + asking_s
    wanted = [job for job in submissions(run) if jobs is None or job.job in jobs]
    queued = queue(names_of(run))
    steps = accounting([job.job for job in wanted])
    memory, missing = remembered(run), missing_outputs(run)
    found = []
    for job in wanted:
        seen, rows = (queued or {}).get(job.job), steps.get(job.job, [])
        state = seen.state if seen else plain_state(rows[0].state) if rows else memory.final.get(job.job, "")
        lacks = missing.get(job.label, []) if state == "COMPLETED" else []
        if state == "COMPLETED" and not (well or lacks):
            continue
        otherwise = memory.final.get(job.job) or (UNKNOWN if queued is None else LOST)
        ask = time.monotonic() < until
        entry = gather(job, seen, rows, ask_controller=ask, otherwise=otherwise)
        entry = replace(entry, missing=", ".join(lacks))
        found.append(while_full(entry) if job.job in memory.ended_full else entry)
    return found


def while_full(entry: Evidence) -> Evidence:
    """The same, of a job that ended while a disk of the run was full."""
    return replace(entry, state_said=f"{entry.state_said} while the disk was full")


def verdicts_of(evidence: Sequence[Evidence], causes: Sequence[Cause]) -> list[Verdict]:
    """Verdicts on what ended without success, waits, or is stuck; what runs or ended well has none."""
    found = []
    for entry in evidence:
        verdict = explain(entry, causes)
        over = entry.state in FINAL or entry.state == LOST
        well = entry.state == "COMPLETED" and not entry.missing
        if not well and entry.state != UNKNOWN and (over or verdict.cause != "?"):
            found.append(verdict)
    return fold_bad_nodes(acquit(found))


def refused_of(run: Path) -> list[Verdict]:
    """Verdicts on submissions that sbatch refused."""
    remedy = "mend partition, account, GPU model or limits in the site block of the profile; make doctor looks at them"
    return [
        Verdict("-", job.label, job.attempt, "", "submission", "REFUSED", "sbatch", job.refused, remedy)
        for job in refusals(run)
    ]
