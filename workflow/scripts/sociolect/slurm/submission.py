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
# What sbatch says when the controller is away or busy, and not that the request is wrong.
PASSING = re.compile(
    r"unable to contact slurm controller|connect failure|connection (refused|reset|timed out)|socket timed out|"
    r"resource temporarily unavailable|zero bytes were transmitted|temporarily unable to accept job|"
    r"unexpected message received|not responding|slurm controller .*backup|sbatch took over",
    re.IGNORECASE,
)


def submit(run: Path, facts: dict[str, Any], command: Sequence[str], patience: float = PATIENCE_S) -> int:
    """Submit one job, record it, and print its id as `sbatch --parsable` does.

    A call of which it is not known whether the controller took it is looked up in the queue before it is repeated. A
    controller that crashed can give out an id of this run again, whose job it has forgotten: the states of the two
    could not be told apart, so the new job is cancelled, which tells Snakemake of the old one, and submitted anew.

    Args:
        run: folder of the run's record.
        facts: what the job is (fields of `Submitted`, without id and time).
        command: sbatch and its arguments.
        patience: seconds to go on while the controller is away.

    Returns:
        Exit code: that of sbatch, or 1 if the driver ended meanwhile (the job is cancelled then).
    """
    driver = read_driver(run)
    add_line(run, {"name": facts["name"]})
    deadline = time.monotonic() + patience
    pause = 2.0
    while True:
        code, out, error = _sbatch(command)
        job = out.strip().split(";")[0]
        if code != 0 and PASSING.search(error):
            if (taken := _find(run, facts)) is not None:
                code, out, job = 0, taken + "\n", taken
            elif time.monotonic() < deadline and driver.alive() is not False:
                time.sleep(pause)
                pause = min(2 * pause, 30.0)
                continue
        if code == 0 and any(sent.job == job for sent in submissions(run)):
            cancel([job])
            continue
        break
    if code == 0 and job.isdigit():
        slurm_log = str(facts.pop("slurm_log", "")).replace("%j", job)
        add_line(run, {**facts, "job": job, "slurm_log": slurm_log, "time": time.time()})
        if driver.alive() is False:
            cancel([job])
            sys.stderr.write(f"error: Snakemake ended while job {job} was submitted; it is cancelled\n")
            return 1
    sys.stdout.write(out)
    sys.stderr.write(error)
    return code


def _sbatch(command: Sequence[str]) -> tuple[int, str, str]:
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=SBATCH_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return 1, "", f"sbatch: socket timed out: no answer in {SBATCH_TIMEOUT_S:.0f} s\n"
    return done.returncode, done.stdout, done.stderr


def _find(run: Path, facts: dict[str, Any]) -> str | None:
    """The job of a call without an answer: same run, same rule and wildcards, alive, and not recorded yet."""
    text = ask(["squeue", "-h", f"--name={facts['name']}", "-t", "PD,CF,R,S", "-o", "%i|%k"])
    recorded = {job.job for job in submissions(run)}
    for line in (text or "").splitlines():
        job, _, comment = line.strip().partition("|")
        if comment == facts["comment"] and job not in recorded:
            return job
    return None
