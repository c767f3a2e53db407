"""Measure how well the net and the baselines tell the groups, and their parent groups, apart."""

import json

import polars as pl

from sociolect.artifacts import matrix
from sociolect.embedding.baselines import baseline_probabilities
from sociolect.embedding.evaluate import accuracy_of_levels
from sociolect.embedding.net import load_net
from sociolect.experiments import load_fit
from sociolect.profiles import group_embeddings, map_groups
from sociolect.runtime import Job, run_program
from sociolect.schemas import ACCURACY, EMBEDDINGS, GROUPS
from sociolect.settings import ProfileSettings


def main(job: Job[ProfileSettings]) -> None:
    embeddings = job.read("embeddings", EMBEDDINGS).select("split", "answer_id", "embedding")
    frame = load_fit(job).join(embeddings, on=["split", "answer_id"], how="inner", maintain_order="left")
    net, hyper = load_net(job.path("model"))
    theta = float(json.loads(job.path("metrics").read_text(encoding="utf-8"))["threshold"])
    groups = job.read("groups", GROUPS).sort("group")
    train = frame.filter(pl.col("part") == "train")
    parents = json.loads(job.options["group_parents"] or "{}")
    mapped = map_groups(train["group"].to_list(), parents)
    style, authors = matrix(train["style"]), train["author"].to_list()
    parent_centers = group_embeddings(net, style, mapped, authors, job.settings.statistic, job.settings.center, theta)
    job.stage("baselines", answers=frame.height)
    probabilities = baseline_probabilities(
        frame["answer"].to_list(),
        matrix(frame["style"]),
        frame["group"].to_list(),
        (frame["part"] == "train").to_numpy(),
        job.progress("baselines"),
    )
    centers = {"leaf": matrix(groups["embedding"]), "parent": parent_centers}
    table = accuracy_of_levels(frame, probabilities, centers, parents, hyper["distance"], job.run_seed)
    job.write(table, "accuracy", ACCURACY)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        ProfileSettings,
        inputs=["samples*", "labels*", "ask", "embeddings", "model", "groups", "metrics"],
        outputs=["accuracy"],
        options=["splits", "group_parents"],
    )
