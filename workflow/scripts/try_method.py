"""Try one steering method at all its places and strengths on val, by successive halving."""

from __future__ import annotations

import polars as pl

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import STEERING, SWEEP
from sociolect.settings.steering import SweepJob
from sociolect.steering.methods import METHODS
from sociolect.steering.sweep import sweep_table
from sociolect.steering.trying import open_bench


def main(job: Job[SweepJob]) -> None:
    """Every setting, and the best of them marked."""
    method, sweep = job.options["method"], job.settings.sweep
    steering = job.read("steering", STEERING).filter(pl.col("method") == method)
    bench = open_bench(job)
    tried = bench.sweep(steering, method, METHODS[method].MODE, sweep)
    table = sweep_table(tried.found, tried.base, sweep)
    job.write(table, "tried", SWEEP, backend=bench.backend.info())
    bench.backend.close()


if __name__ == "__main__":
    run_program(
        main, __doc__, SweepJob,
        inputs=[
            "unsteered", "norms", "groups", "steering", "catalogue", "lm", "sfam", "embedding", "judges", "document?",
        ],
        outputs=["tried"], options=["dtype", "backend", "prompt_style", "prompt_date", "method", "cache"],
    )  # fmt: skip
