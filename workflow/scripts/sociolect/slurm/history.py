"""Verdicts on the jobs of a run: those that failed, those that hang and those that wait."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from sociolect.slurm.commands import FINAL, accounting, plain_state, queue
from sociolect.slurm.evidence import UNKNOWN, Evidence, gather
from sociolect.slurm.nodes import record_bad_node
from sociolect.slurm.runs import names_of, refusals, submissions
from sociolect.slurm.states import LOST, remembered
from sociolect.slurm.verdicts import Cause, Verdict, explain, fold_bad_nodes, read_causes

CAUSES = Path(__file__).resolve().parents[4] / "profiles" / "slurm" / "causes.yaml"


def evidence_of(run: Path, jobs: Collection[str] | None = None, well: bool = True) -> list[Evidence]:
    """Evidence on the run's submissions, or on these of them, in the order submitted.

    Args:
        well: also of jobs that ended well; without them the controller is asked for the others alone.
    """
    wanted = [job for job in submissions(run) if jobs is None or job.job in jobs]
    queued = queue(names_of(run))
    steps = accounting([job.job for job in wanted])
    final = remembered(run)
    found = []
    for job in wanted:
        seen, rows = (queued or {}).get(job.job), steps.get(job.job, [])
        state = seen.state if seen else plain_state(rows[0].state) if rows else final.get(job.job, "")
        if state == "COMPLETED" and not well:
            continue
        otherwise = final.get(job.job) or (UNKNOWN if queued is None else LOST)
        found.append(gather(job, seen, rows, otherwise=otherwise))
    return found


def verdicts_of(evidence: Sequence[Evidence], causes: Sequence[Cause]) -> list[Verdict]:
    """Verdicts on what ended without success, waits, or is stuck; what runs or ended well has none."""
    found = []
    for entry in evidence:
        verdict = explain(entry, causes)
        over = entry.state in FINAL or entry.state == LOST
        if entry.state not in ("COMPLETED", UNKNOWN) and (over or verdict.cause != "?"):
            found.append(verdict)
    return fold_bad_nodes(found)


def refused_of(run: Path) -> list[Verdict]:
    """Verdicts on submissions that sbatch refused."""
    remedy = "mend partition, account, GPU model or limits in the site block of the profile; make doctor looks at them"
    return [
        Verdict("-", job.label, job.attempt, "", "submission", "REFUSED", "sbatch", job.refused, remedy)
        for job in refusals(run)
    ]


def blame_nodes(run: Path, jobs: Collection[str]) -> None:
    """Record the nodes of failed jobs where the cause lies with the node: the next submission goes elsewhere."""
    causes = read_causes(CAUSES)
    for entry in evidence_of(run, jobs):
        verdict = explain(entry, causes)
        if verdict.blames_node and verdict.node and "," not in verdict.node:
            record_bad_node(run.parents[1], verdict.node, verdict.job, f"{verdict.cause}: {verdict.title}")
