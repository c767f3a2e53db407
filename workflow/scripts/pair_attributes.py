"""Pair described answers with attributes: positives, easy and hard negatives, held-out attributes and texts."""

from __future__ import annotations

import polars as pl

from sociolect.attributes.calibration import read_calibration
from sociolect.attributes.said import attributes_of_answers
from sociolect.common.runtime import InputError, Job, run_program
from sociolect.common.schemas import CALIBRATION, CATALOGUE, PAIRS, SAMPLES, SENTENCES
from sociolect.settings.sfam import PairSettings
from sociolect.sfam.pairs import build_pairs, grade_pairs
from sociolect.stylometry.stylometry import measure_answers, measure_index
from sociolect.syntax.lookup import read_rows


def main(job: Job[PairSettings]) -> None:
    catalogue = job.read("catalogue", CATALOGUE)
    described = attributes_of_answers(job.read("sentences", SENTENCES), catalogue)
    pairs = build_pairs(described, catalogue, job.settings, job.seed())
    if job.settings.targets == "graded":
        pairs = graded(job, pairs, catalogue["attribute_id"].to_list())
    job.write(pairs, "pairs", PAIRS)


def graded(job: Job[PairSettings], pairs: pl.DataFrame, attribute_ids: list[str]) -> pl.DataFrame:
    if not job.inputs["calibration"] or not job.inputs["samples"]:
        raise InputError("pairs.targets is graded: give --calibration (of the measures) and --samples")
    calibration = read_calibration(job.read("calibration", CALIBRATION), attribute_ids)
    answers = job.read("samples", SAMPLES).unique("answer_id", keep="first", maintain_order=True)
    answers = answers.join(pairs.select("answer_id"), on="answer_id", how="semi")
    tagged = read_rows(job.inputs["tagged"], answers)
    measured = measure_answers(answers["answer"].to_list(), tagged)
    style = calibration.style_vectors(measured, measure_index(tagged is not None))
    return grade_pairs(pairs, style, answers["answer_id"].to_list(), attribute_ids)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        PairSettings,
        inputs=["sentences", "catalogue", "calibration?", "samples*", "tagged*"],
        outputs=["pairs"],
        seeded=True,
    )
