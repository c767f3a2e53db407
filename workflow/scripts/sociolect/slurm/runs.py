"""The record of a run on the cluster: who drives it, and every job that it submitted.

One folder per run under .snakemake/sociolect/runs/: `driver.json` and `jobs.jsonl`, a line per submission.
Standard library only: read at every poll.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sociolect.common.files import write_text

STATE = Path(".snakemake") / "sociolect"
RUNS_KEPT = 20
# of a record: its watcher's lines; and there while Snakemake's own process prints them
WATCHED, SHOWN = "watch.log", "shown"


@dataclass(frozen=True)
class Submitted:
    """One submission: its SLURM job id, the run's name in SLURM, and what it is a job of.

    `own_exclude`: this workflow leaves out no node, since the user says which, or since none can be spared; `excluded`:
    those that it left out; `refused`: what sbatch said, of a job that has no id.
    """

    job: str
    name: str
    rule: str
    wildcards: str = ""
    attempt: int = 1
    time: float = 0.0
    slurm_log: str = ""
    log: str = ""
    comment: str = ""
    partition: str = ""
    gpu_model: str = ""
    constraint: str = ""
    mem_mb: int = 0
    cpus: int = 0
    gpus: int = 0
    own_exclude: bool = False
    excluded: str = ""
    refused: str = ""

    @property
    def label(self) -> str:
        """Rule and wildcards, as a user knows the job."""
        return f"{self.rule} [{self.wildcards}]" if self.wildcards else self.rule


@dataclass(frozen=True)
class Driver:
    """The Snakemake process that drives a run."""

    pid: int
    host: str
    started: float
    log: str = ""
    argv: list[str] = field(default_factory=list)

    def alive(self) -> bool | None:
        """Whether it still runs; None where that cannot be told, since it runs on another host."""
        if self.host != socket.gethostname():
            return None
        return process_started(self.pid) == self.started

    def interrupt(self) -> None:
        """Ask it once more to end, if it still runs."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)


def process_started(pid: int) -> float:
    """When a process of this host began, in clock ticks since boot; -1 if it has ended. Tells reused ids apart."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -1.0
    return -1.0 if fields[0] == "Z" else float(fields[19])


def begin_run(state: Path, log: str, argv: list[str]) -> Path:
    """Make the record of this process's run; older records go, if none of their jobs can be left."""
    runs = state / "runs"
    folder = runs / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}"
    folder.mkdir(parents=True)
    # renamed later: a full disk takes no new file
    for mark in ("going", "room"):
        (folder / mark).touch()
    driver = Driver(os.getpid(), socket.gethostname(), process_started(os.getpid()), log, argv)
    write_text(json.dumps(asdict(driver)) + "\n", folder / "driver.json", sync=False)
    for old in sorted(runs.iterdir())[:-RUNS_KEPT]:
        if (old / "closed").exists():
            shutil.rmtree(old, ignore_errors=True)
    return folder


def read_driver(run: Path) -> Driver:
    """Who drives the run."""
    return Driver(**json.loads((run / "driver.json").read_text(encoding="utf-8")))


def add_line(run: Path, line: dict[str, Any]) -> None:
    """Append to the record; a line is shorter than what the system writes at once.

    It begins with an end of line as well: what a killed writer or a full disk left of another line stays apart.
    """
    with (run / "jobs.jsonl").open("a", encoding="utf-8") as stream:
        stream.write("\n" + json.dumps(line, ensure_ascii=False) + "\n")


def read_lines(run: Path) -> list[dict[str, Any]]:
    """Whole lines of the record, oldest first."""
    try:
        # a line can be cut in the middle of a letter
        text = (run / "jobs.jsonl").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in map(_whole, text.splitlines()) if line is not None]


def _whole(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def submissions(run: Path) -> list[Submitted]:
    """Every job of the run, in the order submitted."""
    return [Submitted(**line) for line in read_lines(run) if line.get("job")]


def refusals(run: Path) -> list[Submitted]:
    """Submissions that sbatch refused."""
    return [Submitted(**line) for line in read_lines(run) if line.get("refused")]


def may_be_taken(run: Path, comment: str) -> bool:
    """Whether the controller may have taken a job with this comment, of which no answer came."""
    return any(line.get("unclear") == comment for line in read_lines(run))


def note_missing(run: Path, outputs: dict[str, list[str]]) -> None:
    """Keep which outputs Snakemake did not find, by the label of their job."""
    write_text(json.dumps(outputs, ensure_ascii=False), run / "missing.json", sync=False)


def missing_outputs(run: Path) -> dict[str, list[str]]:
    """Outputs that Snakemake did not find at the end of the run, by the label of their job."""
    try:
        found = json.loads((run / "missing.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(label): [str(file) for file in files] for label, files in found.items()}


def stop_submitting(run: Path) -> None:
    """Let submissions that have not begun, or wait for the controller, give up."""
    with suppress(FileNotFoundError):  # said before
        (run / "going").replace(run / "stopping")


def stopping(run: Path) -> bool:
    """Whether the run is being stopped."""
    return (run / "stopping").exists()


def note_full(run: Path, full: bool) -> None:
    """Note whether a disk that the run writes to is full."""
    before, after = ("room", "full") if full else ("full", "room")
    with suppress(FileNotFoundError):  # noted before
        (run / before).replace(run / after)


def was_full(run: Path) -> bool:
    """Whether the last look at the disks found one full."""
    return (run / "full").exists()


def folders_of(run: Path, jobs: Iterable[Submitted]) -> list[Path]:
    """Folders that a run and these jobs write to."""
    logs = (log for job in jobs for log in (job.slurm_log, job.log) if log)
    return list(dict.fromkeys([run, *(Path(log).parent for log in logs)]))


def names_of(run: Path) -> list[str]:
    """Names under which SLURM knows the run's jobs, those of submissions under way included."""
    return sorted({line["name"] for line in read_lines(run) if line.get("name")})


def all_runs(state: Path) -> list[Path]:
    """Folders of the runs, oldest first."""
    return sorted(path.parent for path in (state / "runs").glob("*/driver.json"))


def close_run(run: Path) -> None:
    """Note that none of the run's jobs is left in the queue."""
    (run / "closed").touch()


def abandoned_runs(state: Path) -> list[Path]:
    """Runs whose Snakemake is gone, or on another host, and whose jobs may still be in the queue."""
    runs = [run for run in all_runs(state) if not (run / "closed").exists() and names_of(run)]
    return [run for run in runs if not read_driver(run).alive()]
