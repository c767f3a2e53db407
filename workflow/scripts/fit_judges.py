"""Fit judges of generated answers on human train answers as short as these, and measure them on test answers."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sociolect.common.artifacts import read_table
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import CEILINGS, GROUPS, HUMANS, SAMPLES
from sociolect.judges.ceilings import ceiling_table
from sociolect.judges.human_texts import cut_texts
from sociolect.judges.sentences import sentence_encoder
from sociolect.judges.text_judges import fit_judges, judge_texts, write_judges
from sociolect.labels.fit import refuse_overlap, stack_splits
from sociolect.models.loading import load_tokenizer
from sociolect.settings.evaluation import JudgeJob
from sociolect.syntax.tagging import tagging_by


def main(job: Job[JudgeJob]) -> None:
    """The judges of the table, and those of the sweep, which never tag."""
    groups, evaluation = job.read("groups", GROUPS)["group"].sort().to_list(), job.settings.evaluation
    frames, ask = [read_table(Path(path), SAMPLES) for path in job.inputs["samples"]], job.read("ask", SAMPLES)
    refuse_overlap([*frames, ask])
    train = stack_splits(frames, groups).filter(pl.col("part") == "train")
    test = ask.filter((pl.col("part") == "test") & pl.col("group").is_in(groups)).sort("answer_id")
    tokenizer, most = load_tokenizer(job.path("lm")), job.settings.generation.max_new_tokens
    texts, truth = cut_texts(train["answer"].to_list(), tokenizer, most), train["group"].to_list()
    tag = tagging_by(job.settings.syntax.tagger)
    encode = sentence_encoder(Path(evaluation.sentence_model)) if evaluation.sentence_model else None
    job.stage("judges", n=len(texts))
    judges = fit_judges(texts, truth, tag, encode)
    write_judges(judges, job.outputs["judges"])
    # vLLM's environment tags nothing
    write_judges(judges if tag is None else fit_judges(texts, truth), job.outputs["plain"])
    job.stage("ceilings")
    short = cut_texts(test["answer"].to_list(), tokenizer, most)
    humans = test.select("answer_id", "question_id", "group").with_columns(pl.Series("answer", short, pl.String))
    job.write(humans, "humans", HUMANS)
    seen = judge_texts(judges, short, tag, encode)
    table = ceiling_table(
        judges, seen, test["group"].to_list(), test["question_id"].to_list(),
        evaluation.resamples, job.seed("ceilings"), evaluation.confidence,
    )  # fmt: skip
    job.write(table, "ceilings", CEILINGS)


if __name__ == "__main__":
    run_program(
        main, __doc__, JudgeJob,
        inputs=["samples*", "ask", "groups", "lm"], outputs=["judges", "plain", "ceilings", "humans"],
        seeded=True,
    )  # fmt: skip
