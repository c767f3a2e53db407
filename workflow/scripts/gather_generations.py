"""Put the shards together; every request must have been answered exactly once."""

from __future__ import annotations

from sociolect.common.artifacts import read_table
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import GENERATIONS, REQUESTS
from sociolect.generation.asking import gather
from sociolect.settings.generation import GenerationSettings


def main(job: Job[GenerationSettings]) -> None:
    """One table, in the order of the requests."""
    shards = [read_table(path, GENERATIONS) for path in job.inputs["shards"]]
    job.write(gather(shards, job.read("requests", REQUESTS)), "generations", GENERATIONS)


if __name__ == "__main__":
    run_program(main, __doc__, GenerationSettings, inputs=["shards*", "requests"], outputs=["generations"])
