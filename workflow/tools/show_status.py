"""Show the jobs that are running: what stage, how far, how fast, and how long since they were last heard of."""

from __future__ import annotations

import argparse
import socket
import time
from pathlib import Path
from typing import Any

import library_path  # noqa: F401, first: where sociolect lies
from rich.console import Console
from rich.table import Table

from sociolect.common.heartbeat import overdue_s, read_beat
from sociolect.slurm.runs import process_started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    folder = parser.parse_args().results
    table = Table("run", "job", "node", "stage", "done", "per s", "left", "heard", "", title=None)
    for beat in sorted(folder.glob("*/logs/**/*.beat")):
        state = read_beat(beat)
        if state is None or "ended" in state or _is_gone(state):
            continue
        run, _, job = beat.relative_to(folder).as_posix().removesuffix(".log.beat").split("/", 2)
        done = f"{state['done']}/{state['total']}" if "total" in state else ""
        rate = f"{state['rate']:.3g}" if "rate" in state else ""
        left = f"{state['eta_s']:.0f} s" if state.get("eta_s") is not None else ""
        heard = f"{time.time() - state['time']:.0f} s ago"
        word = "no sign of progress: make why" if overdue_s(state, time.time()) else state.get("message", "")
        table.add_row(run, job, state["host"], state["stage"], done, rate, left, heard, word)
    Console().print(table if table.row_count else "nothing is running")


def _is_gone(state: dict[str, Any]) -> bool:
    """Killed, on this host: its heartbeat was left behind. Of other hosts it cannot be told."""
    return state["host"] == socket.gethostname() and process_started(int(state["pid"])) < 0


if __name__ == "__main__":
    main()
