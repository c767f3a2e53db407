"""Score generations: nearest group before and after, direction, topic and relevance, damage."""

from __future__ import annotations

import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import FLUENCY, GENERATIONS, GROUPS, JUDGED, LABELS, NEAREST, RELEVANCE, SAMPLES, SCORES
from sociolect.embedding.net import embed, load_net
from sociolect.evaluation.scores import Centers, nearest_table, score_table
from sociolect.labels.fit import join_labels
from sociolect.settings.evaluation import EvaluationSettings


def main(job: Job[EvaluationSettings]) -> None:
    """Every generation against the unsteered answer to the same question."""
    groups = job.read("groups", GROUPS).sort("group")
    net, hyper = load_net(job.path("model"))
    centers = Centers(tuple(groups["group"]), matrix(groups["embedding"]), hyper["distance"])
    generations = join_labels(
        job.read("generations", GENERATIONS).with_columns(pl.col("request_id").alias("answer_id")),
        job.read("labels", LABELS),
        "generations",
    )
    styles = matrix(generations["style"])
    fluency = dict(job.read("fluency", FLUENCY).iter_rows())
    relevance = dict(job.read("relevance", RELEVANCE).iter_rows())
    topic = dict(
        job.read("judged", JUDGED).filter(pl.col("judge") == "topic").select("request_id", "group").iter_rows()
    )
    tolerance = job.settings.tie_tolerance
    scores = score_table(
        generations.drop("style"), embed(net, styles), styles, topic, relevance, fluency, centers, tolerance
    )
    job.write(scores, "scores", SCORES)

    ask = join_labels(job.read("ask", SAMPLES), job.read("ask_labels", LABELS), "ask").sort("answer_id")
    ask = ask.filter((pl.col("part") == "test") & pl.col("group").is_in(list(centers.groups)))
    humans = embed(net, matrix(ask["style"]))
    job.write(nearest_table(scores, ask, humans, centers, tolerance), "nearest", NEAREST)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        EvaluationSettings,
        inputs=["generations", "labels", "judged", "relevance", "fluency", "groups", "model", "ask", "ask_labels"],
        outputs=["scores", "nearest"],
    )
