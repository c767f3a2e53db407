"""States of a run's jobs, for the SLURM plugin: `<job>|<state>` per line. A node that failed a job is recorded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.slurm.runs import stopping
from sociolect.slurm.states import may_blame, newly_failed, poll, remember, remembered, word_for_plugin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--name", required=True)
    given = parser.parse_args()
    memory = remembered(given.run)
    before = set(memory.final)
    states = poll(given.run, given.name, memory)
    # first of all: whatever fails below, Snakemake has its answer
    for job, state in states.items():
        print(f"{job}|{word_for_plugin(state)}", flush=True)
    remember(given.run, memory)
    # what ended while a disk was full is no node's fault, and after a stop no submission comes that it could help
    failed = [job for job in newly_failed(before, states) if may_blame(states[job]) and job not in memory.ended_full]
    if failed and not stopping(given.run):
        from sociolect.slurm.blame import blame_nodes
        from sociolect.slurm.history import CAUSES, evidence_of
        from sociolect.slurm.verdicts import read_causes

        # the plugin drops an answer that takes a minute
        blame_nodes(given.run, evidence_of(given.run, failed, asking_s=10.0), read_causes(CAUSES))


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # after a query that fails the plugin forgets all jobs under way: what was printed counts, the rest comes later
        print(f"query_jobs: {type(error).__name__}: {error}", file=sys.stderr)
