"""Show the jobs that are running, how far and how fast; and of a config's run what is done and what is left."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sociolect.common.artifacts import read_table
from sociolect.common.errors import exit_plainly
from sociolect.common.heartbeat import overdue_s, read_beat
from sociolect.common.schemas import ESTIMATE
from sociolect.dag.job_states import ended_jobs, is_gone, state_of
from sociolect.dag.planned import planned_jobs
from sociolect.dag.remaining import summary
from sociolect.estimate.table import compare_rules
from sociolect.slurm.evidence import tail
from sociolect.slurm.file_clock import age_s
from sociolect.slurm.runs import STATE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--configfile", type=Path, help="of the run to sum up")
    parser.add_argument("--run", type=Path, help="its folder")
    flags = parser.parse_args()
    table = Table("run", "job", "node", "stage", "done", "per s", "left", "heard", "")
    ended, now = ended_jobs(STATE.absolute()), time.time()
    for beat in sorted(flags.results.glob("*/logs/**/*.beat")):
        state = read_beat(beat)
        if state is None or "ended" in state or is_gone(state, ended):
            continue
        run, _, job = beat.relative_to(flags.results).as_posix().removesuffix(".log.beat").split("/", 2)
        done = f"{state['done']}/{state['total']}" if "total" in state else ""
        rate = f"{state['rate']:.3g}" if "rate" in state else ""
        left = f"{state['eta_s']:.0f} s" if state.get("eta_s") is not None else ""
        said = (tail(beat.with_suffix("")) or "").strip().rpartition("\n")[2]
        age = age_s(beat)
        word = "no sign of progress: make why" if overdue_s({**state, "time": now - age}, now) else said
        cells = (run, job, state["host"], state["stage"], done, rate, left, f"{age:.0f} s ago", word)
        # what stands in brackets is no markup
        table.add_row(*map(Text, cells))
    Console().print(table if table.row_count else "nothing is running")
    if flags.configfile and flags.run and flags.run.is_dir():
        jobs, path = planned_jobs(flags.configfile, "all"), flags.run / "estimate/estimate.parquet"
        rules = compare_rules(read_table(path, ESTIMATE), {}).iter_rows(named=True) if path.is_file() else ()
        estimated = {row["rule"]: 3600 * row["hours"] / row["jobs"] for row in rules if row["jobs"]}
        print(f"{flags.run}: {summary(jobs, [state_of(job, [], ended, now) for job in jobs], estimated)}")


if __name__ == "__main__":
    exit_plainly(main)
