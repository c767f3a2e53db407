"""Score generations: nearest group before and after, direction, independent judge, damage."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sociolect.common.artifacts import matrix, read_table
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import FLUENCY, GENERATIONS, GROUPS, LABELS, NEAREST, SAMPLES, SCORES
from sociolect.embedding.judge import fit_judge, judge_groups
from sociolect.embedding.net import embed, load_net
from sociolect.evaluation.scores import Centers, nearest_table, score_table
from sociolect.labels.fit import join_labels, refuse_overlap, stack_splits
from sociolect.settings.evaluation import EvaluationSettings


def main(job: Job[EvaluationSettings]) -> None:
    """Every generation against the unsteered answer to the same question."""
    groups = job.read("groups", GROUPS).sort("group")
    net, hyper = load_net(job.path("model"))
    centers = Centers(tuple(groups["group"]), matrix(groups["embedding"]), hyper["distance"])

    job.stage("judge")
    frames = [read_table(Path(path), SAMPLES) for path in job.inputs["samples"]]
    refuse_overlap([*frames, job.read("ask", SAMPLES)])
    train = stack_splits(frames, centers.groups).filter(pl.col("part") == "train")
    judge = fit_judge(train["answer"].to_list(), train["group"].to_list())

    job.stage("scores")
    generations = join_labels(
        job.read("generations", GENERATIONS).with_columns(pl.col("request_id").alias("answer_id")),
        job.read("labels", LABELS),
        "generations",
    )
    styles = matrix(generations["style"])
    fluency = dict(job.read("fluency", FLUENCY).iter_rows())
    judged = judge_groups(judge, generations["text"].to_list())
    tolerance = job.settings.tie_tolerance
    scores = score_table(generations.drop("style"), embed(net, styles), styles, judged, fluency, centers, tolerance)
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
        inputs=["generations", "labels", "fluency", "groups", "model", "samples*", "ask", "ask_labels"],
        outputs=["scores", "nearest"],
    )
