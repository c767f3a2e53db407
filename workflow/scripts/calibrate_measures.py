"""Fit the curves from measures to probabilities of the catalogue's attributes, on the train answers of all splits."""

from __future__ import annotations

import polars as pl

from sociolect.attributes.calibration import THRESHOLD, calibration_table
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CALIBRATION, CATALOGUE, SAMPLES, SENTENCES
from sociolect.settings.attributes import DescriptionSettings
from sociolect.stylometry.stylometry import fit_thresholds, measure_answers, measure_index
from sociolect.syntax.lookup import read_rows


def main(job: Job[DescriptionSettings]) -> None:
    """The describer's thresholds, fitted again on the answers that it was fitted on, and the curves around them."""
    catalogue, sentences = job.read("catalogue", CATALOGUE), job.read("sentences", SENTENCES)
    samples = job.read("samples", SAMPLES).unique("answer_id", keep="first", maintain_order=True)
    train = samples.filter(pl.col("part") == "train")
    described = sentences.filter(pl.col("part") == "train")["answer_id"].unique()
    job.stage("measures", answers=train.height)
    measured = measure_answers(train["answer"].to_list(), read_rows(job.inputs["tagged"], train))
    job.stage("curves", described=len(described))
    is_described = train["answer_id"].is_in(described.to_list()).to_numpy()
    thresholds = fit_thresholds(measured[is_described], job.settings.quantile)
    index = measure_index(bool(job.inputs["tagged"]))
    job.write(calibration_table(measured, index, thresholds, sentences, catalogue), "calibration", CALIBRATION)
    metrics = {"scorer": "measured", "threshold": THRESHOLD, "train_answers": train.height}
    job.write_json(metrics | {"attributes": catalogue.height, "measures": len(index)}, "metrics")


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        DescriptionSettings,
        inputs=["samples*", "sentences", "catalogue", "tagged*"],
        outputs=["calibration", "metrics"],
    )
