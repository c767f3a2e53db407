"""Perplexity of every generation under the unsteered model, given the bare question."""

from __future__ import annotations

import numpy as np
import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import FLUENCY, GENERATIONS
from sociolect.generation.conditions import BASELINE
from sociolect.lm.fluency import log_perplexities
from sociolect.lm.wordings import open_wording
from sociolect.models.loading import load_causal_lm, load_tokenizer
from sociolect.settings.generation import GenerationSettings


def main(job: Job[GenerationSettings]) -> None:
    """The prompt is that of row 1 for all conditions, so that their values can be compared."""
    frame = job.read("generations", GENERATIONS)
    bare = frame.filter(pl.col("condition") == BASELINE).select("question_id", "prompt").unique("question_id")
    prompt = dict(bare.iter_rows())
    missing = sorted(set(frame["question_id"]) - set(prompt))
    if missing:
        raise InputError(f"question {missing[0]!r} has no generation under condition {BASELINE!r}; plan again")
    job.stage("model")
    model = load_causal_lm(job.path("lm"), job.options["dtype"])
    values = log_perplexities(
        model,
        open_wording(load_tokenizer(job.path("lm")), job.options["prompt_style"]),
        [prompt[question] for question in frame["question_id"]],
        frame["text"].to_list(),
        job.settings.batch_tokens,
        job.progress("fluency"),
    )
    found = pl.Series("log_perplexity", [None if np.isnan(v) else float(v) for v in values], dtype=pl.Float64)
    job.write(frame.select("request_id").with_columns(found), "fluency", FLUENCY)


if __name__ == "__main__":
    run_program(
        main,
        __doc__,
        GenerationSettings,
        inputs=["generations", "lm"],
        outputs=["fluency"],
        options=["dtype", "prompt_style"],
    )
