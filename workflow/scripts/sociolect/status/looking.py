"""One look at what runs and at a run: what `make status` shows."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from sociolect.common.digests import remembered
from sociolect.dag.job_states import ended_jobs, state_of
from sociolect.dag.planned import planned_jobs
from sociolect.slurm.history import CAUSES
from sociolect.slurm.runs import all_runs, read_driver
from sociolect.slurm.verdicts import read_causes
from sociolect.status.board import board, failures, rule_rows
from sociolect.status.gpus import machine_gpus
from sociolect.status.lengths import estimated_seconds
from sociolect.status.running import running_jobs, running_table
from sociolect.status.time_left import Places, cores, slurm_places, summary


def look_at(
    results: Path, state: Path, run: Path | None, configfile: Path | None, n_cores: int, every_rule: bool = False
) -> list[RenderableType]:
    """What runs below `results`, and of one run its rules, what failed and the time left.

    Args:
        results: folder of the runs.
        state: folder with the records of runs on a cluster.
        run: folder of the run; None for what runs alone.
        configfile: of that run.
        n_cores: cores that it has on this machine.
        every_rule: a row for each rule, also of those that are done or have not begun.

    Raises:
        InputError: Snakemake cannot make its graph; its own lines stand above.
    """
    ended, now = ended_jobs(state), time.time()
    beats = running_jobs(results, ended)
    parts: list[RenderableType] = [running_table(results, beats, now) if beats else Text("nothing is running")]
    on_cluster = any(read_driver(record).alive() for record in all_runs(state))
    if not on_cluster:
        parts += [Text(gpu.said) for gpu in machine_gpus()]
    if run and configfile and run.is_dir():
        with remembered(state / "digests.json"):
            jobs = planned_jobs(configfile, "all", n_cores)
        causes = read_causes(CAUSES)
        states = [state_of(job, causes, ended, now) for job in jobs]
        at_work = [one.beat for one in states if one.beat]
        places: Places = cores(n_cores)
        if on_cluster or any(beat.get("job") for beat in at_work):
            places = slurm_places(len(at_work))
        parts += [board(rule_rows(jobs, states), not every_rule), *map(Text, failures(jobs, states))]
        estimated = estimated_seconds(run / "estimate/estimate.parquet")
        parts.append(Text(f"{run}: {summary(jobs, states, estimated, places, now)}"))
    return parts
