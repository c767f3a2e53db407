"""Measure how well the net and the baselines tell the groups, and their parent groups, apart."""

import json

import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import ACCURACY, EMBEDDINGS, GROUPS, LABELS, SAMPLES
from sociolect.embedding.accuracy import accuracy_of_levels
from sociolect.embedding.baselines import baseline_probabilities
from sociolect.embedding.net import load_net
from sociolect.embedding.statistics import center_of, group_embeddings, map_groups
from sociolect.labels.fit import labeled_answers
from sociolect.settings.embedding import ProfileSettings
from sociolect.sfam.threshold import read_threshold
from sociolect.syntax.lookup import read_rows


def main(job: Job[ProfileSettings]) -> None:
    embeddings = job.read("embeddings", EMBEDDINGS).select("split", "answer_id", "embedding")
    frame = labeled_answers(
        job.read_by("splits", "samples", SAMPLES), job.read_by("splits", "labels", LABELS), job.read("ask", SAMPLES)
    ).join(embeddings, on=["split", "answer_id"], how="inner", maintain_order="left")
    net, hyper = load_net(job.path("model"))
    theta = read_threshold(job.path("metrics"))
    groups = job.read("groups", GROUPS).sort("group")
    train = frame.filter(pl.col("part") == "train")
    parents = json.loads(job.options["group_parents"] or "{}")
    mapped = map_groups(train["group"].to_list(), parents)
    style, authors = matrix(train["style"]), train["author"].to_list()
    center = center_of(job.settings.center, hyper)
    parent_centers = group_embeddings(net, style, mapped, authors, job.settings.statistic, center, theta)
    job.stage("baselines", answers=frame.height)
    probabilities = baseline_probabilities(
        frame["answer"].to_list(),
        matrix(frame["style"]),
        frame["group"].to_list(),
        (frame["part"] == "train").to_numpy(),
        job.progress("baselines"),
        read_rows(job.inputs["tagged"], frame),
        (frame["part"] == "val").to_numpy(),
    )
    centers = {"leaf": matrix(groups["embedding"]), "parent": parent_centers}
    table = accuracy_of_levels(frame, probabilities, centers, parents, hyper["distance"], job.run_seed)
    job.write(table, "accuracy", ACCURACY)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        ProfileSettings,
        inputs=["samples*", "labels*", "ask", "embeddings", "model", "groups", "metrics", "tagged*"],
        outputs=["accuracy"],
        options=["splits", "group_parents"],
        seeded=True,
    )
