"""States of a run's jobs, for the SLURM plugin: `<job>|<state>` per line. A node that failed a job is recorded."""

from __future__ import annotations

import argparse
from pathlib import Path

from sociolect.slurm.states import newly_failed, poll, remembered


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--name", required=True)
    given = parser.parse_args()
    before = remembered(given.run)
    states = poll(given.run, given.name)
    if failed := newly_failed(before, states):
        from sociolect.slurm.history import blame_nodes  # reads the table of causes: only when there is a failure

        blame_nodes(given.run, failed)
    for job, state in states.items():
        print(f"{job}|{state}")


if __name__ == "__main__":
    main()
