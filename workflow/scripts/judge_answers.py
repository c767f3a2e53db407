"""Let the judges say which group each generated answer is of, and whether it answers its question."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import GENERATIONS, JUDGED, RELEVANCE, SAMPLES
from sociolect.judges.judged import judged_table
from sociolect.judges.relevance import relevances
from sociolect.judges.sentences import sentence_encoder
from sociolect.judges.text_judges import judge_texts, read_judges
from sociolect.settings.evaluation import JudgeJob
from sociolect.syntax.tagging import tagging_by


def main(job: Job[JudgeJob]) -> None:
    """One row per generation and judge."""
    generations, samples = job.read("generations", GENERATIONS), job.read("ask", SAMPLES)
    judges, model = read_judges(job.path("judges")), job.settings.evaluation.sentence_model
    job.stage("judges")
    encode = sentence_encoder(Path(model)) if model else None
    texts = generations["text"].to_list()
    seen = judge_texts(judges, texts, tagging_by(job.settings.syntax.tagger), encode)
    job.write(judged_table(generations, judges, seen), "judged", JUDGED)
    job.stage("relevance")
    question = dict(samples.select("question_id", "question").iter_rows())
    train = samples.filter(pl.col("part") == "train").sort("answer_id")
    values = relevances(
        texts, [question[q] for q in generations["question_id"]], [*train["question"], *train["answer"]]
    )
    found = generations.select("request_id").with_columns(pl.Series("relevance", values).fill_nan(None))
    job.write(found, "relevance", RELEVANCE)


if __name__ == "__main__":
    run_program(main, __doc__, JudgeJob, inputs=["generations", "judges", "ask"], outputs=["judged", "relevance"])
