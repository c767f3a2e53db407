"""Show how a run's language model answers: answers drawn by hash, how they end, perplexity beside that of humans."""

from __future__ import annotations

import argparse
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies
import numpy as np
import polars as pl
import torch
from rich.console import Console

from sociolect.common.artifacts import read_table
from sociolect.common.errors import InputError, exit_plainly
from sociolect.common.schemas import FLUENCY, GENERATIONS, SAMPLES
from sociolect.evaluation.answers import drawn, endings, human_answers, unsteered
from sociolect.generation.conditions import BASELINE
from sociolect.judges.human_texts import cut_texts
from sociolect.lm.fluency import log_perplexities
from sociolect.lm.wordings import open_wording
from sociolect.models.loading import load_causal_lm, load_tokenizer
from sociolect.settings.config import Config, read_config

# the next question in any of the forms that were seen, stop strings or not: "Question 2:", "Q#3."
ASKS_ON = r"(?m)^\s*(Q|Question)\s*#?\s*\d*\s*[:.)]|Question:"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, required=True, help="of a run that has ended")
    parser.add_argument("--experiment", required=True, help="of that config")
    parser.add_argument("--show", type=int, default=10, help="answers shown, half of them steered")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    config = read_config(given.configfile)
    if given.experiment not in config.experiments:
        raise InputError(f"--experiment {given.experiment!r}: the config has {', '.join(config.experiments)}")
    run = Path("results") / config.run
    generations = read_table(run / f"generations/{given.experiment}.parquet", GENERATIONS)
    console = Console(highlight=False, width=150, markup=False)
    for condition in (BASELINE, "steered"):
        for row in drawn(generations, [condition], given.show // 2).iter_rows(named=True):
            console.print(f"{row['question_id']} | {row['condition']} | {row['target']} | {row['finish_reason']}")
            console.print(f"    {' / '.join(row['text'].splitlines())}", soft_wrap=True)
    with pl.Config(tbl_rows=-1, float_precision=3, tbl_width_chars=150, tbl_formatting="ASCII_MARKDOWN"):
        console.print(str(endings(generations, ASKS_ON)))
    report(config, given.experiment, run, generations, console)


def report(config: Config, experiment: str, run: Path, generations: pl.DataFrame, console: Console) -> None:
    """Print the median perplexity of unsteered answers and of human ones, after the same prompts, equally long."""
    fluency = read_table(run / f"generations/{experiment}.fluency.parquet", FLUENCY)
    own = unsteered(generations).join(fluency, on="request_id", how="left")
    samples = read_table(run / f"samples/{config.experiments[experiment].ask}.parquet", SAMPLES)
    prompts = own.unique("question_id").select("question_id", "prompt")
    human = human_answers(samples, own["question_id"].to_list()).join(prompts, on="question_id")
    tokenizer = load_tokenizer(run / "models/lm")
    wording = open_wording(
        tokenizer,
        config.prompts.style,
        Path(config.generation.prompt_file),
        Path(config.prompts.document_file),
        config.prompts.date,
    )
    texts = cut_texts(human["answer"].to_list(), tokenizer, config.generation.max_new_tokens)
    model = load_causal_lm(run / "models/lm", config.models.dtype)
    found = log_perplexities(model, wording, human["prompt"].to_list(), texts, config.generation.batch_tokens)
    model_median = float(np.exp(np.nanmedian(own["log_perplexity"].drop_nulls().to_numpy())))
    human_median = float(np.exp(np.nanmedian(found)))
    console.print(
        f"median perplexity: unsteered answers {model_median:.1f} (n = {own.height}), human test answers of at most as "
        f"many tokens {human_median:.1f} (n = {len(texts)}), ratio {model_median / human_median:.2f}"
    )


if __name__ == "__main__":
    exit_plainly(main)
