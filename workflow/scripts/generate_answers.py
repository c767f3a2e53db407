"""Generate the answers of a shard, bucket by bucket; buckets that are done are kept over a restart."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sociolect.common.digests import digest_of, file_digest
from sociolect.common.pieces import PieceStore, buckets_of_shard
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import GENERATIONS, REQUESTS, STEERING
from sociolect.generation.asking import buckets, generate_buckets
from sociolect.generation.choice import read_choice
from sociolect.generation.conditions import ADAPTED
from sociolect.lm.backends import open_backend
from sociolect.lm.requests import write_vectors
from sociolect.lm.wordings import open_wording
from sociolect.settings.generation import GenerationSettings
from sociolect.steering.vectors_file import scaled_vectors


def main(job: Job[GenerationSettings]) -> None:
    """Answers of the buckets that belong to `--shard`."""
    settings, cache = job.settings, Path(job.options["cache"])
    choice = read_choice(job.path("choice"))
    parts = buckets(job.read("requests", REQUESTS).filter(pl.col("method").ne_missing(ADAPTED)), settings.buckets)
    wanted = buckets_of_shard(job.options["shard"], settings.buckets)
    job.stage("model")
    dtype, choice_of_backend = job.options["dtype"], job.options["backend"]
    backend = open_backend(choice_of_backend, job.path("lm"), settings.batch_tokens, dtype, job.threads)
    wording = open_wording(backend.tokenizer, job.options["prompt_style"], document_file=job.path_if_given("document"))
    decisive = [file_digest(job.path(name)) for name in ("steering", "choice", "lm")]
    key = digest_of([decisive, job.settings_digest, backend.info(), job.code, wording.style, wording.stop])
    vectors = cache / f"vectors-{job.options['shard'].replace('/', '-of-')}.safetensors"
    write_vectors(scaled_vectors(job.read("steering", STEERING), choice.residual_norms), vectors)
    job.stage("generate", **backend.info())
    frames = generate_buckets(
        backend,
        wording,
        {index: parts[index] for index in wanted if index in parts},
        PieceStore(cache, key, GENERATIONS),
        choice,
        vectors,
        settings,
        job.progress("generate"),
    )
    found = pl.concat([GENERATIONS.empty(), *frames]).sort("request_id")
    job.write(found, "generations", GENERATIONS, backend=backend.info())
    backend.close()


if __name__ == "__main__":
    run_program(
        main, __doc__, GenerationSettings, inputs=["requests", "steering", "choice", "lm", "document?"],
        outputs=["generations"], options=["dtype", "backend", "prompt_style", "shard", "cache"],
    )  # fmt: skip
