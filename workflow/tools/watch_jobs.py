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
        # the disk may be full, the terminal may be gone
        with contextlib.suppress(OSError), (given.run / WATCHED).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
        # Snakemake's process prints what stands there, above its progress
        if not ((given.run / SHOWN).exists() and driver.alive()):
            with contextlib.suppress(OSError):
                print(line, file=sys.stderr, flush=True)

    watch(Watcher(given.run, given.run.parents[1], read_causes(given.causes), say), given.interval)


if __name__ == "__main__":
    main()
