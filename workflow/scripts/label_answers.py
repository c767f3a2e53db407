"""Score one shard of answers (or generations) on every attribute with SFAM, bucket by bucket."""

from __future__ import annotations

import logging
from pathlib import Path

import polars as pl
import torch

from sociolect.agreement.model import load_agreement
from sociolect.artifacts import vectors
from sociolect.labelling import CrossEncoderScorer, label_buckets, read_texts
from sociolect.models import pick_device
from sociolect.pieces import buckets_of_shard
from sociolect.runtime import Job, run_program
from sociolect.schemas import CATALOGUE, LABELS
from sociolect.settings import LabelingSettings


def main(job: Job[LabelingSettings]) -> None:
    torch.set_num_threads(job.threads)
    settings = job.settings
    catalogue = job.read("catalogue", CATALOGUE)
    answers = read_texts(job.path("answers"), job.options["id_column"], job.options["text_column"])
    job.stage("model")
    agreement = load_agreement(job.path("model"), settings.max_tokens)
    agreement.model.to(pick_device())
    scorer = CrossEncoderScorer(agreement, catalogue["author_sentence"].to_list(), settings.tokens_per_batch)
    buckets = buckets_of_shard(job.options["shard"], settings.buckets)
    done = label_buckets(Path(job.options["cache"]), buckets, settings.buckets, answers, scorer, job.progress("pairs"))
    logging.getLogger("sociolect").info("scored %d of %d buckets", done.n_scored, len(buckets))
    empty = pl.DataFrame({"answer_id": pl.Series([], dtype=pl.String)}).with_columns(
        vectors(torch.zeros(0, catalogue.height).numpy(), "style")
    )
    frame = pl.concat([empty, *done.frames]).sort("answer_id")
    job.write(frame, "labels", LABELS, n_truncated=done.n_truncated, n_empty=done.n_empty)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        LabelingSettings,
        inputs=["answers", "catalogue", "model"],
        outputs=["labels"],
        options=["id_column", "text_column", "shard", "cache"],
    )
