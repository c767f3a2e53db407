"""States of a run's jobs, for the SLURM plugin: `<job>|<state>` per line. A node that failed a job is recorded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.slurm.states import newly_failed, poll, remembered, word_for_plugin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--name", required=True)
    given = parser.parse_args()
    before = remembered(given.run)
    states = poll(given.run, given.name)
    for job, state in states.items():
        print(f"{job}|{word_for_plugin(state)}", flush=True)
    if failed := newly_failed(before, states):
        from sociolect.slurm.history import blame_nodes

        blame_nodes(given.run, failed)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # after a query that fails the plugin forgets all jobs under way: what was printed counts, the rest comes later
        print(f"query_jobs: {type(error).__name__}: {error}", file=sys.stderr)
