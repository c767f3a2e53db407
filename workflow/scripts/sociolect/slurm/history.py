"""Verdicts on the jobs of a run: those that failed, those that hang and those that wait."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from sociolect.heartbeat import read_beat
from sociolect.slurm.causes import Cause, Verdict, explain, fold_bad_nodes, read_causes
from sociolect.slurm.commands import accounting, queue
from sociolect.slurm.evidence import Evidence, gather
from sociolect.slurm.nodes import record_bad_node
from sociolect.slurm.runs import Submitted, names_of, submissions

CAUSES = Path(__file__).resolve().parents[4] / "profiles" / "slurm" / "causes.yaml"


def evidence_of(run: Path, jobs: Collection[str] | None = None) -> list[Evidence]:
    """Evidence on the run's submissions, or on these of them, in the order submitted."""
    wanted = [job for job in submissions(run) if jobs is None or job.job in jobs]
    queued = queue(names_of(run)) or {}
    steps = accounting([job.job for job in wanted])
    return [gather(job, queued.get(job.job), steps.get(job.job)) for job in wanted]


def verdicts_of(evidence: Sequence[Evidence], causes: Sequence[Cause]) -> list[Verdict]:
    """Verdicts on what ended without success, waits, or is stuck; what runs or ended well has none."""
    found = []
    for entry in evidence:
        verdict = explain(entry, causes)
        if entry.state == "COMPLETED" or (entry.running and verdict.cause == "?"):
            continue
        found.append(verdict)
    return fold_bad_nodes(found)


def blame_nodes(run: Path, jobs: Collection[str]) -> None:
    """Record the nodes of failed jobs where the cause lies with the node: the next submission goes elsewhere."""
    causes = read_causes(CAUSES)
    for entry in evidence_of(run, jobs):
        verdict = explain(entry, causes)
        if verdict.blames_node and verdict.node and "," not in verdict.node:
            record_bad_node(run.parents[1], verdict.node, verdict.job, f"{verdict.cause}: {verdict.title}")


def local_failures(results: Path, since: float, causes: Sequence[Cause]) -> list[Verdict]:
    """Programs of a run without a cluster that ended with an error since then, by their heartbeats."""
    found = []
    for path in sorted(results.glob("*/logs/**/*.beat")):
        beat = read_beat(path)
        if beat is None or beat.get("ended") != "failed" or beat.get("job") or float(beat["time"]) < since:
            continue
        log = path.with_suffix("")
        _, _, rule, *wildcards = log.relative_to(results).with_suffix("").parts
        text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else None
        job = Submitted("-", "", rule, "/".join(wildcards), log=str(log), slurm_log=str(log))
        entry = Evidence(job, "FAILED", node=str(beat["host"]), rule_log=text, beat=beat, now=float(beat["time"]))
        found.append(explain(entry, causes))
    return found
