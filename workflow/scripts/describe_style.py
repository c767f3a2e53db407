"""Describe the style of chosen answers in sentences 'The author uses X.'"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sociolect.choice import choose_answers
from sociolect.describers.parsing import Said, parse_sentence, sentence_table
from sociolect.describers.stylometry import describe, fit_thresholds, sentence_of
from sociolect.digests import digest_of, file_digest
from sociolect.experiments import samples_by_split
from sociolect.runtime import InputError, Job, run_program
from sociolect.schemas import SENTENCES
from sociolect.settings import DescriptionSettings


def main(job: Job[DescriptionSettings]) -> None:
    """Choose answers, describe them, write one row per sentence."""
    settings = job.settings
    chosen = choose_answers(samples_by_split(job), settings.n_answers, settings.n_heldout, job.seed("choice"))
    job.stage(f"describe by {settings.describer}", answers=chosen.height)
    said = by_stylometry(chosen, settings.quantile) if settings.describer == "stylometry" else by_llm(job, chosen)
    job.write(sentence_table(chosen, said, settings.describer), "sentences", SENTENCES)


def by_stylometry(chosen: pl.DataFrame, quantile: float) -> list[list[Said]]:
    thresholds = fit_thresholds(chosen.filter(pl.col("part") == "train")["answer"].to_list(), quantile)
    sentences = [[sentence_of(name) for name in names] for names in describe(chosen["answer"].to_list(), thresholds)]
    return [[("stylometry", s, parse_sentence(s)) for s in of_answer] for of_answer in sentences]


def by_llm(job: Job[DescriptionSettings], chosen: pl.DataFrame) -> list[list[Said]]:
    # imported here: stylometry must not wait for torch
    import torch

    from sociolect.describers.llm import describe_answers, read_description_prompts
    from sociolect.generation.backends import open_backend
    from sociolect.prompts import encode_prompt, render_chat

    if not job.inputs["model"] or not job.inputs["prompts"]:
        raise InputError("description.describer is llm: give --model (folder of the language model) and --prompts")
    torch.set_num_threads(job.threads)
    prompts, settings = read_description_prompts(job.path("prompts")), job.settings
    dtype, budget = job.options["dtype"], settings.batch_tokens
    backend = open_backend(job.options["backend"], job.path("model"), budget, dtype, job.threads)
    key, cache = digest_of([file_digest(job.path("model")), backend.info()]), Path(job.options["cache"])
    said = describe_answers(
        chosen["answer"].to_list(), prompts, backend,
        lambda system, user: encode_prompt(backend.tokenizer, render_chat(backend.tokenizer, system, user)),
        settings, cache, key, backend.context, job.progress("describe"),
    )  # fmt: skip
    backend.close()
    return said


if __name__ == "__main__":
    inputs, options = ["samples*", "model?", "prompts?"], ["splits", "cache", "dtype", "backend"]
    run_program(main, __doc__, DescriptionSettings, inputs=inputs, outputs=["sentences"], options=options)
