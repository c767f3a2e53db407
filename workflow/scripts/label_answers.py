"""Score one shard of answers (or generations) on every attribute, bucket by bucket."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import polars as pl
import torch

from sociolect.common.artifacts import iter_table, vectors
from sociolect.common.digests import digest_of
from sociolect.common.pieces import buckets_of_shard
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, LABELS, TAGGED
from sociolect.labels.buckets import ROWS, iter_texts, label_buckets
from sociolect.labels.labelers import load_scorer
from sociolect.settings.labels import LabelingSettings


def main(job: Job[LabelingSettings]) -> None:
    settings, options = job.settings, job.options
    catalogue = job.read("catalogue", CATALOGUE)
    sentences = catalogue["author_sentence"].to_list()
    texts = iter_texts(job.path("answers"), options["id_column"], options["text_column"])
    buckets = buckets_of_shard(options["shard"], settings.buckets)
    job.stage("model")
    scorer = load_scorer(job.path("model"), catalogue, settings, job.code)
    late: dict[str, Any] = {"catalogue": digest_of(sentences)}
    with job.writer("labels", LABELS, late) as write:
        # a shard without answers is a table of the right width, too
        none = vectors(torch.zeros(0, catalogue.height).numpy(), "style")
        write(pl.DataFrame({"answer_id": pl.Series([], dtype=pl.String), "style": none}))
        cache, progress = Path(options["cache"]), job.progress("answers")
        tagged = iter_table(job.path("tagged"), TAGGED, ROWS) if job.inputs["tagged"] else None
        done = label_buckets(cache, buckets, settings.buckets, texts, scorer, write, progress, tagged)
        late |= {"n_truncated": done.n_truncated, "n_empty": done.n_empty}
    logging.getLogger("sociolect").info("scored %d of %d buckets", done.n_scored, len(done.buckets))


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        LabelingSettings,
        inputs=["answers", "catalogue", "model", "tagged?"],
        outputs=["labels"],
        options=["id_column", "text_column", "shard", "cache"],
    )
