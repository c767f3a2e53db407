"""Say why jobs failed, hang or wait: one line each, with rule, node, stage, cause and what to do."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console

from sociolect.errors import InputError, exit_plainly
from sociolect.slurm.causes import read_causes
from sociolect.slurm.comparing import comparison
from sociolect.slurm.history import CAUSES, evidence_of, local_failures, verdicts_of
from sociolect.slurm.runs import STATE, all_runs, read_driver


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, default=STATE, help="folder with the records of the runs")
    parser.add_argument("--run", help="name of a run's record; the newest without it")
    parser.add_argument("--job", action="append", help="SLURM job id, of the run; all without it")
    parser.add_argument("--compare", nargs=2, metavar="JOB", help="two jobs of the run, a good and a bad one")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument(
        "--since", type=float, default=time.time() - 86400, help="look at failures since this time only"
    )
    parser.add_argument("--causes", type=Path, default=CAUSES)
    given = parser.parse_args()
    causes = read_causes(given.causes)
    runs = [run for run in all_runs(given.state.absolute()) if given.run in (None, run.name)]
    if given.run and not runs:
        raise InputError(
            f"no run {given.run!r}; there are {', '.join(r.name for r in all_runs(given.state)) or 'none'}"
        )
    recent = [run for run in runs if given.run or run.stat().st_mtime >= given.since]
    if given.compare:
        if not runs:
            raise InputError("no run on a cluster is recorded here")
        Console().print(comparison(evidence_of(runs[-1], given.compare), given.compare))
        return
    verdicts = verdicts_of(evidence_of(recent[-1], given.job), causes) if recent else []
    if recent and (driver := read_driver(recent[-1])):
        print(f"run {recent[-1].name}, driven by process {driver.pid} on {driver.host}, log {driver.log}")
    verdicts += local_failures(given.results, given.since, causes)
    print("\n".join(verdict.line() for verdict in verdicts) or "no job failed, hangs or waits")


if __name__ == "__main__":
    exit_plainly(main)
