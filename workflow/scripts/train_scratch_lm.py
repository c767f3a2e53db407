"""Train a tokenizer and a tiny Llama from scratch on chats made of the train part: questions, groups, styles."""

from __future__ import annotations

import numpy as np
import polars as pl

from sociolect.common.files import atomic_folder
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import SAMPLES
from sociolect.scratch.causal_lm import train_causal_lm
from sociolect.scratch.chats import make_chats, read_condition_texts
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchLm
from sociolect.stylometry.stylometry import attributes_for, describe, fit_thresholds, measure_answers
from sociolect.syntax.lookup import read_rows


def main(job: Job[ScratchLm]) -> None:
    settings = job.settings
    texts = read_condition_texts(job.path("prompts"))
    train = job.read("samples", SAMPLES).filter(pl.col("part") == "train")
    train = train.unique("answer_id", keep="first", maintain_order=True).sort("answer_id")
    answers = train["answer"].to_list()
    tagged = read_rows(job.inputs["tagged"], train)
    measured = measure_answers(answers, tagged)
    names = describe(measured, fit_thresholds(measured, settings.quantile))
    chats = make_chats(
        train,
        dict(zip(train["answer_id"].to_list(), names, strict=True)),
        texts,
        np.random.default_rng(job.seed("chats")),
        settings.chats_per_answer,
    )
    known = [attribute.name for attribute in attributes_for(tagged is not None)]
    wording = [texts.system_turn(group, known) or "" for group in train["group"].unique().sort()]
    said = [part for chat in chats for part in (chat.system or "", chat.user, chat.assistant)]
    job.stage("tokenizer")
    tokenizer = train_tokenizer([*said, *wording], settings.tokenizer, max(1024, settings.max_tokens))
    job.stage("training")
    model = train_causal_lm(chats, tokenizer, settings, job.seed("model"), job.progress("train"))
    with atomic_folder(job.outputs["model"]) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    run_program(main, __doc__, ScratchLm, inputs=["samples*", "prompts", "tagged*"], outputs=["model"], seeded=True)
