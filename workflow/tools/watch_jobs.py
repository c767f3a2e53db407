"""Watch the jobs of a run: why they wait, hang or fail; cancel what Snakemake leaves behind when it ends."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.slurm.runs import SHOWN, WATCHED, read_driver
from sociolect.slurm.verdicts import read_causes
from sociolect.slurm.watch import Watcher, watch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--causes", type=Path, required=True)
    parser.add_argument("--interval", type=float, default=30.0, help="seconds between two looks at the queue")
    given = parser.parse_args()
    driver = read_driver(given.run)

    def say(line: str) -> None:
        kept = keep(line, given.run / WATCHED)
        # Snakemake's process prints what is kept, above its progress
        if not (kept and (given.run / SHOWN).exists() and driver.alive()):
            with contextlib.suppress(OSError):  # the terminal may be gone
                print(line, file=sys.stderr, flush=True)

    watch(Watcher(given.run, given.run.parents[1], read_causes(given.causes), say), given.interval)


def keep(line: str, log: Path) -> bool:
    """Add a line to the log; whether it stands there: the disk may be full."""
    try:
        with log.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
