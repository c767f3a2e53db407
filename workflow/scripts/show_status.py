"""Show the jobs that are running: what stage, how far, how fast, and how long since they were last heard of."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    folder = parser.parse_args().results
    table = Table("run", "job", "node", "stage", "done", "per s", "left", "heard", "", title=None)
    for beat in sorted(folder.glob("*/logs/**/*.beat")):
        try:
            state = json.loads(beat.read_text())
        except (OSError, json.JSONDecodeError):
            continue  # the job ended, or replaces the file just now
        run, _, job = beat.relative_to(folder).as_posix().removesuffix(".log.beat").split("/", 2)
        done = f"{state['done']}/{state['total']}" if "total" in state else ""
        rate = f"{state['rate']:.3g}" if "rate" in state else ""
        left = f"{state['eta_s']:.0f} s" if state.get("eta_s") is not None else ""
        heard = f"{time.time() - state['time']:.0f} s ago"
        table.add_row(run, job, state["host"], state["stage"], done, rate, left, heard, state.get("message", ""))
    Console().print(table if table.row_count else "nothing is running")


if __name__ == "__main__":
    main()
