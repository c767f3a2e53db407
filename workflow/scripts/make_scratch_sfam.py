"""Train a tokenizer on the train part and initialize a tiny DeBERTa at random: the base of SFAM without a hub."""

from __future__ import annotations

import polars as pl

from sociolect.common.files import atomic_folder
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import SAMPLES
from sociolect.scratch.deberta import build_deberta
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchSfam
from sociolect.sfam.model import save_agreement
from sociolect.stylometry.stylometry import ATTRIBUTES, sentence_of


def main(job: Job[ScratchSfam]) -> None:
    settings = job.settings
    train = job.read("samples", SAMPLES).filter(pl.col("part") == "train").sort("answer_id")
    texts = [*train["answer"].unique(maintain_order=True), *(sentence_of(a.name) for a in ATTRIBUTES)]
    tokenizer = train_tokenizer(texts, settings.tokenizer, settings.max_positions)
    agreement = build_deberta(settings, tokenizer, settings.max_positions, n_outputs=2, seed=job.seed())
    with atomic_folder(job.outputs["model"]) as folder:
        save_agreement(agreement, folder)


if __name__ == "__main__":
    run_program(main, __doc__, ScratchSfam, inputs=["samples*"], outputs=["model"], seeded=True)
