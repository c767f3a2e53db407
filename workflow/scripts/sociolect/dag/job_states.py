"""The state of a job, from what Snakemake would do with it and what its program left: heartbeat, log, benchmark."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sociolect.common.heartbeat import overdue_s, read_beat
from sociolect.dag.planned import Job
from sociolect.slurm.evidence import tail
from sociolect.slurm.local_faults import fault_of
from sociolect.slurm.runs import all_runs, process_started, submissions
from sociolect.slurm.verdicts import Cause

# the first of them is what a node of several jobs shows
STATES = ("failed", "running", "rerun", "to do", "done")
# of a log: lines, and characters of a line
LOG_LINES, LOG_WIDTH = 40, 400


@dataclass(frozen=True)
class JobState:
    """State of a job, why in a word or two and at length, seconds that it took when it last ended, end of its log, and
    the heartbeat of one that runs."""

    state: str
    short: str = ""
    why: str = ""
    seconds: float | None = None
    log_end: str = ""
    beat: dict[str, Any] = field(default_factory=dict, hash=False)


def state_of(job: Job, causes: Sequence[Cause], ended: Collection[str], now: float) -> JobState:
    """The state of a job.

    Args:
        job: as Snakemake plans it.
        causes: the table of causes of failures.
        ended: ids of SLURM jobs that are known to be out of the queue.
        now: the time.
    """
    # a run takes the outputs away first, which alone makes nothing due where all that needs them is there
    open_work = job.due or not job.made
    beat = read_beat(job.log.with_name(f"{job.log.name}.beat")) if job.log and open_work else None
    seconds, log_end = seconds_of(job.benchmark), _log_end(job.log)
    if beat and job.log and (beat.get("ended") == "failed" or is_gone(beat, ended)):
        wildcards = "/".join(job.wildcards.values())
        # without its first line, which says what the node says
        _, _, why = fault_of(job.log, (job.rule, wildcards), causes).partition("\n")
        return JobState("failed", "", why, seconds, log_end)
    if beat:
        silent = overdue_s(beat, now) > 0
        far = f" {beat['done']}/{beat['total']}" if "total" in beat else ""
        stage, word = f"{beat['stage']}{far}", "; no sign of progress: make why" if silent else ""
        return JobState("running", stage, f"stage {stage} on {beat['host']}{word}", seconds, log_end, beat)
    if not job.due:
        return JobState("done", "", "", seconds, log_end)
    if job.made:
        return JobState("rerun", job.cause, job.reason, seconds, log_end)
    return JobState("to do", "", job.reason, seconds, log_end)


def ended_jobs(records: Path) -> set[str]:
    """SLURM jobs of the runs of which none is left in the queue."""
    return {job.job for run in all_runs(records) if (run / "closed").exists() for job in submissions(run)}


def is_gone(beat: dict[str, Any], ended: Collection[str]) -> bool:
    """Whether the program of a heartbeat was killed and left it behind. Of other hosts SLURM alone can tell.

    Args:
        beat: as the program wrote it.
        ended: ids of SLURM jobs that are known to be out of the queue.
    """
    if beat.get("job"):
        return beat["job"] in ended
    return beat["host"] == socket.gethostname() and process_started(int(beat["pid"])) < 0


def seconds_of(benchmark: Path | None) -> float | None:
    """The column s of Snakemake's benchmark; none where there is no file, or not a whole one."""
    if benchmark is None or not benchmark.is_file():
        return None
    lines = [line.split("\t") for line in benchmark.read_text(encoding="utf-8").splitlines()]
    return float(lines[-1][lines[0].index("s")]) if len(lines) > 1 and "s" in lines[0] else None


def _log_end(log: Path | None) -> str:
    lines = ((tail(log) if log else None) or "").splitlines()[-LOG_LINES:]
    return "\n".join(line if len(line) <= LOG_WIDTH else f"{line[:LOG_WIDTH]} ..." for line in lines)
