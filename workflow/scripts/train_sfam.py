"""Train SFAM on pairs of answer and attribute; judge it on held-out texts and attributes."""

from __future__ import annotations

import polars as pl
import torch

from sociolect.common.files import atomic_folder
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CATALOGUE, PAIRS, SAMPLES
from sociolect.settings.sfam import SfamSettings
from sociolect.sfam.model import encode_attributes, encode_texts, load_agreement, save_agreement
from sociolect.sfam.pair_arrays import index_pairs
from sociolect.sfam.training import train_agreement


def main(job: Job[SfamSettings]) -> None:
    pairs = job.read("pairs", PAIRS)
    catalogue = job.read("catalogue", CATALOGUE)
    samples = job.read("samples", SAMPLES).unique("answer_id", keep="first", maintain_order=True)
    samples = samples.filter(pl.col("answer_id").is_in(pairs["answer_id"].unique().to_list())).sort("answer_id")
    job.stage("model")
    torch.manual_seed(job.seed("head"))  # a head that the base lacks is drawn from the global generator
    agreement = load_agreement(job.path("base"), job.settings.max_tokens, job.settings.n_outputs)
    if torch.cuda.is_available():
        agreement.model.to("cuda")
    trained = train_agreement(
        agreement,
        encode_texts(agreement, samples["answer"].to_list()),
        encode_attributes(agreement, catalogue["author_sentence"].to_list()),
        index_pairs(pairs, samples["answer_id"].to_list(), catalogue["attribute_id"].to_list()),
        job.settings,
        job.seed("training"),
        progress=job.progress("train"),
    )
    with atomic_folder(job.outputs["model"]) as folder:
        save_agreement(trained.agreement, folder)
    metrics = {"threshold": trained.threshold, **trained.metrics, "history": trained.history}
    job.write_json(metrics, "metrics")


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        SfamSettings,
        inputs=["pairs", "samples*", "catalogue", "base"],
        outputs=["model", "metrics"],
        seeded=True,
    )
