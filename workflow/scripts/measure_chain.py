"""Measure stage by stage, from raw measures to the net's rule, how well the groups are told apart."""

from __future__ import annotations

import polars as pl

from sociolect.attributes.calibration import read_calibration
from sociolect.common.artifacts import matrix
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CALIBRATION, CATALOGUE, CHAIN, EMBEDDINGS, GROUPS, LABELS, SAMPLES
from sociolect.embedding.chain import SCORES, chain_table, classified, links, stage_of
from sociolect.embedding.net import distance_matrix, load_net
from sociolect.labels.fit import labeled_answers
from sociolect.settings.evaluation import EvaluationSettings
from sociolect.stylometry.stylometry import measure_answers, measure_index
from sociolect.syntax.lookup import read_rows


def main(job: Job[EvaluationSettings]) -> None:
    embeddings = job.read("embeddings", EMBEDDINGS).select("split", "answer_id", "embedding")
    frame = labeled_answers(
        job.read_by("splits", "samples", SAMPLES), job.read_by("splits", "labels", LABELS), job.read("ask", SAMPLES)
    ).join(embeddings, on=["split", "answer_id"], how="inner", maintain_order="left")
    groups = job.read("groups", GROUPS).sort("group")
    names = groups["group"].to_list()
    frame = frame.with_columns(truth=pl.col("group").replace_strict(names, range(len(names)), return_dtype=pl.Int64))
    _, hyper = load_net(job.path("model"))
    near = distance_matrix(matrix(frame["embedding"]), matrix(groups["embedding"]), hyper["distance"])
    attribute_ids = job.read("catalogue", CATALOGUE)["attribute_id"].to_list()
    calibration = read_calibration(job.read("calibration", CALIBRATION), attribute_ids)
    job.stage("measures", answers=frame.height)
    measured = measure_answers(frame["answer"].to_list(), read_rows(job.inputs["tagged"], frame))
    calibrated = calibration.style_vectors(measured, measure_index(bool(job.inputs["tagged"])))
    truth, is_train = frame["truth"].to_numpy(), (frame["part"] == "train").to_numpy()
    scored = {stage_of(job.options["scorer"]): matrix(frame["style"])}
    job.stage("stages")
    found = links(measured, calibrated, scored, matrix(frame["embedding"]), near, truth, is_train)
    settings = (names, job.settings.resamples, job.settings.confidence, job.seed())
    tables = [chain_table(frame, found, *settings)]
    if job.inputs["teacher"]:
        lessons = frame.join(job.read("teacher", LABELS).rename({"style": "teacher"}), on="answer_id", how="inner")
        truth, is_train = lessons["truth"].to_numpy(), (lessons["part"] == "train").to_numpy()
        pair = {SCORES["cross_encoder"]: "teacher", SCORES["distilled"]: "style"}
        taught = [classified(stage, matrix(lessons[column]), truth, is_train) for stage, column in pair.items()]
        tables.append(chain_table(lessons, taught, *settings, answers="lessons"))
    job.write(pl.concat(tables), "chain", CHAIN)


if __name__ == "__main__":
    run_program(
        main, __doc__, EvaluationSettings,
        inputs=[
            "samples*", "labels*", "ask", "embeddings", "model", "groups", "catalogue", "calibration", "teacher?",
            "tagged*",
        ],
        outputs=["chain"], options=["splits", "scorer"], seeded=True,
    )  # fmt: skip
