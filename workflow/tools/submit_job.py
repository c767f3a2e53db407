"""sbatch for the SLURM plugin: outlasts a restart of the controller, submits no job twice, and records it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.slurm.submission import submit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--facts", required=True, help="JSON: what the job is")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- sbatch and its arguments")
    given = parser.parse_args()
    sys.exit(submit(given.run, json.loads(given.facts), given.command[1:]))


if __name__ == "__main__":
    main()
