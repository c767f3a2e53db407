"""sbatch that waits for a controller that restarts, for room on the disk and for a limit of submitted jobs, and never
submits a job twice. Standard library only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sociolect.slurm.commands import ask, cancel
from sociolect.slurm.room import FULL, no_room
from sociolect.slurm.runs import add_line, may_be_taken, read_driver, submissions

PATIENCE_S = 900.0
SBATCH_TIMEOUT_S = 120.0
ROOM_PAUSE_S = 5.0
# How often a wait looks whether the run is stopped; how long a call that is under way has then for its answer.
LOOK_S = 0.5
LAST_WORD_S = 10.0
# The controller did not take the call.
AWAY = re.compile(
    r"unable to contact slurm controller|connect failure|connection refused|resource temporarily unavailable|"
    r"temporarily unable to accept job|slurm controller .*backup|I/O error writing script",
    re.IGNORECASE,
)
# It may have taken it: the answer is what is missing. In the words of all errors that libslurm has for a broken talk.
UNANSWERED = re.compile(
    r"connection (reset|timed out)|socket timed out|zero bytes were transmitted|unexpected message received|"
    r"not responding|missing socket error|communication (connection|shutdown) failure|"
    r"message (send|receive) failure|insane message length|header lengths are longer",
    re.IGNORECASE,
)
# As many jobs of the user or of the group as may be are in the queue: there is room when one of them ends.
QUEUE_FULL = re.compile(r"(Max|Grp)Submit\w*Limit|MaxSubmit\w*(PerUser|PerAccount)|MaxJobCount", re.IGNORECASE)
# No node has what is asked, or those that have it are left out.
NO_NODE = re.compile(r"requested node configuration is not available", re.IGNORECASE)


def submit(run: Path, facts: dict[str, Any], command: Sequence[str], patience: float = PATIENCE_S) -> int:
    """Submit one job, record it, and print its id as `sbatch --parsable` does.

    A call of which it is not known whether the controller took it is looked up in the queue, as soon as there is an
    answer, before it is repeated. A controller that crashed can give out an id of this run again, whose job it has
    forgotten: the states of the two could not be told apart, so the new job is cancelled, which tells Snakemake of the
    old one, and submitted anew. An attempt that gave up without an answer is noted: the next one looks its job up, too.

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

    folders = [run, *(Path(facts[key]).parent for key in ("slurm_log", "log") if facts.get(key))]
    while no_room(folders) and not stopping():
        _pause(ROOM_PAUSE_S, stopping)
    waits = run / f"waits.{os.getpid()}"
    try:
        taken = _record(run, {"name": facts["name"]}, stopping) and _until_taken(
            run, facts, command, patience, stopping, waits
        )
    except Refused as refused:
        said = str(refused)
        _record(run, {**facts, "slurm_log": "", "job": "", "refused": " ".join(said.split())}, stopping)
        sys.stderr.write(said)
        return 1
    except TimeoutError as error:
        return _fail(str(error))
    finally:
        waits.unlink(missing_ok=True)
    if not taken:
        return _fail("the run is being stopped: not submitted")
    slurm_log = str(facts.get("slurm_log", "")).replace("%j", taken)
    line = {**facts, "job": taken, "slurm_log": slurm_log, "time": time.time()}
    if not _record(run, line, stopping) or stopping():
        cancel([taken], facts["name"])
        return _fail(f"the run is being stopped: job {taken} is cancelled")
    sys.stdout.write(taken + "\n")
    return 0


class Refused(Exception):
    """sbatch does not take the job, and would not take it a second time."""


def _until_taken(
    run: Path, facts: dict[str, Any], command: Sequence[str], patience: float, stopping: Callable[[], bool], waits: Path
) -> str:
    """Id of the job that the controller took; empty if the run is stopped before.

    Raises:
        Refused: with sbatch's words.
        TimeoutError: no answer within `patience` seconds.
    """
    deadline = time.monotonic() + patience
    pause, unanswered = 2.0, may_be_taken(run, facts["comment"])
    while not stopping():
        job: str | None = None
        if unanswered:
            known, job = _find(run, facts)
            unanswered = not known
        if not unanswered and job is None:
            code, out, error = _sbatch(command, stopping)
            job = _id_of(out) if code == 0 else None
            if code == 0 and job is None:
                raise Refused(f"error: sbatch printed no job id: {out.strip()!r}\n")
            if code != 0:
                unanswered = UNANSWERED.search(error) is not None
                if QUEUE_FULL.search(error):
                    deadline = time.monotonic() + max(patience, 2 * pause)
                elif not unanswered and not AWAY.search(error):
                    if not (facts.get("excluded") and NO_NODE.search(error)):
                        raise Refused(error)
                    # a node that failed is better than none; nor will the watcher leave it out
                    facts |= {"excluded": "", "own_exclude": True}
                    command = [part for part in command if not part.startswith("--exclude=")]
                    continue
                _note(waits, error)
            if job is not None and any(sent.job == job for sent in submissions(run)):
                cancel([job], facts["name"])
                continue
        if job is not None:
            return job
        if time.monotonic() >= deadline:
            if unanswered:
                _record(run, {"name": facts["name"], "unclear": facts["comment"]}, stopping)
                raise TimeoutError(f"SLURM did not answer for {patience:.0f} s: the next attempt looks for the job")
            raise TimeoutError(f"SLURM did not answer for {patience:.0f} s: not submitted")
        _pause(pause, stopping)
        pause = min(2 * pause, 30.0)
    return ""


def _record(run: Path, line: dict[str, Any], stopping: Callable[[], bool]) -> bool:
    """Add a line to the record, as soon as there is room for it; False if the run is stopped before."""
    while True:
        try:
            add_line(run, line)
            return True
        except OSError as error:
            if error.errno not in FULL:
                raise
        if stopping():
            return False
        _pause(ROOM_PAUSE_S, stopping)


def _note(waits: Path, error: str) -> None:
    """What a submission waits for, in sbatch's words, for the watcher."""
    with suppress(OSError):  # a full disk, which the watcher sees itself
        waits.write_text(" ".join(error.split()), encoding="utf-8")


def _pause(seconds: float, stopping: Callable[[], bool]) -> None:
    """Wait, but not for a run that is stopped."""
    for _ in range(round(seconds / LOOK_S)):
        if stopping():
            return
        time.sleep(LOOK_S)


def _sbatch(command: Sequence[str], stopping: Callable[[], bool]) -> tuple[int, str, str]:
    """Exit code and words of a call; given up after a time, which is short for a run that is stopped."""
    began = time.monotonic()
    limit = SBATCH_TIMEOUT_S
    with subprocess.Popen(list(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while True:
            try:
                out, error = process.communicate(timeout=LOOK_S)
                return process.returncode, out, error
            except subprocess.TimeoutExpired:
                waited = time.monotonic() - began
                if stopping():
                    limit = min(limit, waited + LAST_WORD_S)
                if waited >= limit:
                    process.kill()
                    return 1, "", f"sbatch: socket timed out: no answer in {waited:.0f} s\n"


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
