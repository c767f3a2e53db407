"""Try a cell of the study of vectors: read attributes, weigh them and steer as the cell says, on val."""

from __future__ import annotations

import polars as pl

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, GROUPS, READINGS, VECTOR_TRIES
from sociolect.settings.study import VectorJob, vector_cells
from sociolect.steering.activations import attribute_vectors
from sociolect.steering.attribute_weights import group_weights
from sociolect.steering.material import material_of
from sociolect.steering.sweep import UNSTEERED
from sociolect.steering.trying import open_bench
from sociolect.steering.vectors import steering_table


def main(job: Job[VectorJob]) -> None:
    """The val answers of the cell's best setting."""
    cell = vector_cells()[job.options["cell"]]
    settings = cell.applied(job.settings)
    catalogue, groups = job.read("catalogue", CATALOGUE), job.read("groups", GROUPS)
    ids = catalogue["attribute_id"].to_list()
    bench = open_bench(job)
    activations = attribute_vectors(
        bench.reader, bench.wording, catalogue, settings.activations, job.run_seed, job.progress("activations")
    )
    weights = group_weights(groups, ids, settings.steering)
    material = material_of(groups["group"].to_list(), activations, ids, weights, job.read("readings", READINGS))
    steering, _ = steering_table(material, [cell.method], job.run_seed)
    tried = bench.sweep(steering.filter(method=cell.method), cell.method, "add", settings.sweep)
    best, nothing = tried.best, tried.best == UNSTEERED
    outcome = tried.base if nothing else tried.found[best]
    table = tried.answers.with_columns(
        cell=pl.lit(job.options["cell"]),
        setting=pl.lit("not to steer" if nothing else f"block {'-'.join(map(str, best.layers))}, {best.alpha:g}"),
        perplexity_change=pl.lit((outcome.log_perplexity or 0.0) - (tried.base.log_perplexity or 0.0)),
    )
    job.write(table.select(list(VECTOR_TRIES.columns)), "tries", VECTOR_TRIES, backend=bench.backend.info())
    bench.backend.close()


if __name__ == "__main__":
    run_program(
        main, __doc__, VectorJob,
        inputs=[
            "unsteered", "norms", "groups", "readings", "catalogue", "lm", "sfam", "embedding", "judges", "document?",
        ],
        outputs=["tries"], options=["dtype", "backend", "prompt_style", "prompt_date", "cell", "cache"], seeded=True,
    )  # fmt: skip
