"""What runs now, of all runs of a folder: stage, how far, how fast, GPUs, last line of the log."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from sociolect.common.heartbeat import overdue_s, read_beat
from sociolect.dag.job_states import is_gone
from sociolect.dag.pictures import duration
from sociolect.slurm.evidence import tail
from sociolect.slurm.file_clock import age_s
from sociolect.status.gpus import beat_gpu


def running_jobs(results: Path, ended: Collection[str]) -> dict[Path, dict[str, Any]]:
    """Heartbeats of the programs that run, by file, of every run below `results`."""
    beats = {path: read_beat(path) for path in sorted(results.glob("*/logs/**/*.beat"))}
    return {path: beat for path, beat in beats.items() if beat and "ended" not in beat and not is_gone(beat, ended)}


def running_table(results: Path, beats: dict[Path, dict[str, Any]], now: float) -> Table:
    """A row for each of them; what GPUs do only where one uses them."""
    gpus = {path: beat_gpu(beat) for path, beat in beats.items()}
    table = Table("run", "job", "node", "stage", "done", "per s", "left", *(["GPU"] if any(gpus.values()) else []))
    for name in ("heard", ""):
        table.add_column(name)
    for path, beat in beats.items():
        run, _, job = path.relative_to(results).as_posix().removesuffix(".log.beat").split("/", 2)
        done = f"{beat['done']}/{beat['total']}" if "total" in beat else ""
        rate = f"{beat['rate']:.3g}" if "rate" in beat else ""
        left = duration(beat["eta_s"]) if beat.get("eta_s") is not None else ""
        # by the clock of the file system: the node's may be minutes off
        age = age_s(path)
        stuck = overdue_s({**beat, "time": now - age}, now)
        said = (tail(path.with_suffix("")) or "").strip().rpartition("\n")[2]
        cells = [run, job, beat["host"], beat["stage"], done, rate, left]
        cells += [gpus[path]] if any(gpus.values()) else []
        # what stands in brackets is no markup
        table.add_row(*map(Text, [*cells, f"{age:.0f} s ago", "no sign of progress: make why" if stuck else said]))
    return table
