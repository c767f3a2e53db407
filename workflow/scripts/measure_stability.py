"""Measure how firmly authors and answers fix the group embeddings, by every statistic."""

import logging

import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import LABELS, SAMPLES, STABILITY
from sociolect.embedding.findings import stability_sentences
from sociolect.embedding.net import load_net
from sociolect.embedding.stability import stability_table
from sociolect.labels.fit import labeled_answers
from sociolect.settings.embedding import StabilitySettings
from sociolect.sfam.threshold import read_threshold

log = logging.getLogger("sociolect")


def main(job: Job[StabilitySettings]) -> None:
    frame = labeled_answers(
        job.read_by("splits", "samples", SAMPLES), job.read_by("splits", "labels", LABELS), job.read("ask", SAMPLES)
    )
    train = frame.filter(pl.col("part") == "train").sort("answer_id")
    net, hyper = load_net(job.path("model"))
    table = stability_table(
        matrix(train["style"]),
        train["group"].to_list(),
        train["author"].to_list(),
        net,
        hyper["distance"],
        read_threshold(job.path("metrics")),
        job.settings.draws,
        job.settings.within,
        job.run_seed,
        job.progress("statistics"),
    )
    for sentence in stability_sentences(table, job.settings.within):
        log.info("%s", sentence)
    job.write(table, "stability", STABILITY)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        StabilitySettings,
        inputs=["samples*", "labels*", "ask", "model", "metrics"],
        outputs=["stability"],
        options=["splits"],
        seeded=True,
    )
