"""Fit the curves from measures to probabilities of the catalogue's attributes, on the train answers of all splits."""

from __future__ import annotations

import polars as pl

from sociolect.attributes.calibration import THRESHOLD, calibration_table
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CALIBRATION, CATALOGUE, SAMPLES, SENTENCES
from sociolect.settings.attributes import DescriptionSettings
from sociolect.stylometry.features import INDEX
from sociolect.stylometry.stylometry import fit_thresholds, measure_texts


def main(job: Job[DescriptionSettings]) -> None:
    """The describer's thresholds, fitted again on the answers that it was fitted on, and the curves around them."""
    catalogue, sentences = job.read("catalogue", CATALOGUE), job.read("sentences", SENTENCES)
    samples = job.read("samples", SAMPLES).unique("answer_id", keep="first", maintain_order=True)
    train = samples.filter(pl.col("part") == "train")
    described = sentences.filter(pl.col("part") == "train").select("answer_id").unique()
    job.stage("thresholds", answers=described.height)
    fitted_on = train.join(described, on="answer_id", how="semi").sort("answer_id")
    thresholds = fit_thresholds(fitted_on["answer"].to_list(), job.settings.quantile)
    job.stage("curves", answers=train.height)
    measured = measure_texts(train["answer"].to_list())
    job.write(calibration_table(measured, INDEX, thresholds, sentences, catalogue), "calibration", CALIBRATION)
    metrics = {"scorer": "measured", "threshold": THRESHOLD, "train_answers": train.height}
    job.write_json(metrics | {"attributes": catalogue.height, "measures": len(INDEX)}, "metrics")


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        DescriptionSettings,
        inputs=["samples*", "sentences", "catalogue"],
        outputs=["calibration", "metrics"],
    )
