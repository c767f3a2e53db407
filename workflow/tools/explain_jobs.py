"""Say why jobs failed, hang or wait: one line each, with rule, node, stage, cause and what to do."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies
from rich.console import Console

from sociolect.common.errors import InputError, exit_plainly
from sociolect.slurm.evidence import UNKNOWN
from sociolect.slurm.history import CAUSES, evidence_of, refused_of, verdicts_of
from sociolect.slurm.local_faults import failed_logs, fault_of
from sociolect.slurm.runs import STATE, all_runs, read_driver, submissions
from sociolect.slurm.side_by_side import comparison
from sociolect.slurm.verdicts import read_causes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, default=STATE, help="folder with the records of the runs")
    parser.add_argument("--run", help="name of a run's record; the newest without it")
    parser.add_argument("--job", action="append", help="SLURM job id, of the run; all without it")
    parser.add_argument("--compare", nargs=2, metavar="JOB", help="two jobs of the run, a good and a bad one")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--since", type=float, default=time.time() - 86400, help="failures since this time only")
    parser.add_argument("--causes", type=Path, default=CAUSES)
    given = parser.parse_args()
    causes = read_causes(given.causes)
    runs = [run for run in all_runs(given.state.absolute()) if given.run in (None, run.name)]
    if given.run and not runs:
        names = ", ".join(run.name for run in all_runs(given.state.absolute())) or "none"
        raise InputError(f"no run {given.run!r}; there are {names}")
    if asked := given.compare or given.job:
        # the newest run that knows them: ids are SLURM's, not the run's
        runs = [run for run in runs if set(asked) <= {job.job for job in submissions(run)}]
        if not runs:
            raise InputError(f"no run here has job {' and '.join(asked)}; name it by its SLURM job id")
    if given.compare:
        Console().print(comparison(evidence_of(runs[-1], given.compare), given.compare))
        return
    lines: list[str] = []
    if recent := [run for run in runs if given.run or given.job or run.stat().st_mtime >= given.since]:
        run, driver = recent[-1], read_driver(recent[-1])
        print(f"run {run.name}, driven by process {driver.pid} on {driver.host}, log {driver.log}")
        evidence = evidence_of(run, given.job, well=bool(given.job))
        if unknown := sum(entry.state == UNKNOWN for entry in evidence):
            print(f"SLURM does not answer: nothing is known of {unknown} jobs; try again")
        verdicts = [*([] if given.job else refused_of(run)), *verdicts_of(evidence, causes)]
        lines += [verdict.line() for verdict in verdicts]
    if not given.job and not given.run:
        lines += [fault_of(log, job, causes) for log, job in failed_logs(given.results, given.since).items()]
    print("\n".join(lines) or "no job failed, hangs or waits")


if __name__ == "__main__":
    exit_plainly(main)
