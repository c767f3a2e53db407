"""sbatch that outlasts a restart of the controller and never submits a job twice. Standard library only."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sociolect.slurm.commands import ask, cancel
from sociolect.slurm.runs import add_line, read_driver, submissions

PATIENCE_S = 900.0
SBATCH_TIMEOUT_S = 120.0
# The controller did not take the call.
AWAY = re.compile(
    r"unable to contact slurm controller|connect failure|connection refused|resource temporarily unavailable|"
    r"temporarily unable to accept job|slurm controller .*backup",
    re.IGNORECASE,
)
# It may have taken it: the answer is what is missing.
UNANSWERED = re.compile(
    r"connection (reset|timed out)|socket timed out|zero bytes were transmitted|unexpected message received|"
    r"not responding",
    re.IGNORECASE,
)


def submit(run: Path, facts: dict[str, Any], command: Sequence[str], patience: float = PATIENCE_S) -> int:
    """Submit one job, record it, and print its id as `sbatch --parsable` does.

    A call of which it is not known whether the controller took it is looked up in the queue, as soon as there is an
    answer, before it is repeated. A controller that crashed can give out an id of this run again, whose job it has
    forgotten: the states of the two could not be told apart, so the new job is cancelled, which tells Snakemake of the
    old one, and submitted anew.

    Args:
        run: folder of the run's record.
        facts: what the job is (fields of `Submitted`, without id and time).
        command: sbatch and its arguments.
        patience: seconds to go on while the controller is away.

    Returns:
        Exit code: that of sbatch, or 1 if the run is being stopped (what was submitted meanwhile is cancelled).
    """
    driver = read_driver(run)

    def stopping() -> bool:
        return (run / "stopping").exists() or driver.alive() is False

    add_line(run, {"name": facts["name"]})
    deadline = time.monotonic() + patience
    pause, unanswered = 2.0, False
    while True:
        if stopping():
            return _fail("the run is being stopped: not submitted")
        job: str | None = None
        if unanswered:
            known, job = _find(run, facts)
            unanswered = not known
        if not unanswered and job is None:
            code, out, error = _sbatch(command)
            job = _id_of(out) if code == 0 else None
            unanswered = code != 0 and UNANSWERED.search(error) is not None
            if code != 0 and not unanswered and not AWAY.search(error):
                add_line(run, {**facts, "slurm_log": "", "job": "", "refused": " ".join(error.split())})
                sys.stderr.write(error)
                return code
            if code == 0 and job is None:
                return _fail(f"sbatch printed no job id: {out.strip()!r}")
            if job is not None and any(sent.job == job for sent in submissions(run)):
                cancel([job], facts["name"])
                continue
        if job is not None:
            break
        if time.monotonic() >= deadline:
            return _fail(f"SLURM did not answer for {patience:.0f} s: not submitted")
        time.sleep(pause)
        pause = min(2 * pause, 30.0)
    slurm_log = str(facts.get("slurm_log", "")).replace("%j", job)
    add_line(run, {**facts, "job": job, "slurm_log": slurm_log, "time": time.time()})
    if stopping():
        cancel([job], facts["name"])
        return _fail(f"the run is being stopped: job {job} is cancelled")
    sys.stdout.write(job + "\n")
    return 0


def _sbatch(command: Sequence[str]) -> tuple[int, str, str]:
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=SBATCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return 1, "", f"sbatch: socket timed out: no answer in {SBATCH_TIMEOUT_S:.0f} s\n"
    return done.returncode, done.stdout, done.stderr


def _id_of(out: str) -> str | None:
    """The id in sbatch's output, below whatever a site prints above it."""
    found = re.findall(r"^(\d+)(?:;\S*)?$", out.strip(), re.MULTILINE)
    return found[-1] if found else None


def _find(run: Path, facts: dict[str, Any]) -> tuple[bool, str | None]:
    """Whether the queue answered, and the job of a call without an answer: of this run, rule and wildcards, and new."""
    text = ask(["squeue", "-h", f"--name={facts['name']}", "--states=all", "-o", "%i|%k"])
    recorded = {job.job for job in submissions(run)}
    for line in (text or "").splitlines():
        job, _, comment = line.strip().partition("|")
        if comment == facts["comment"] and job not in recorded:
            return True, job
    return text is not None, None


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return 1
