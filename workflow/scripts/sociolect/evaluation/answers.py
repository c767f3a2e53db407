"""Generated answers as a reader judges them: some drawn by hash, how they end, and human answers to compare with."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sociolect.common.seeds import stable_hash
from sociolect.generation.conditions import BASELINE

__all__ = ["drawn", "endings", "human_answers", "unsteered"]


def drawn(generations: pl.DataFrame, conditions: Sequence[str], n: int) -> pl.DataFrame:
    """`n` rows of GENERATIONS of these conditions, those whose request has the smallest hash: nobody picks."""
    rows = generations.filter(pl.col("condition").is_in(list(conditions)))
    rank = pl.Series("rank", [stable_hash("shown", name) for name in rows["request_id"]], dtype=pl.UInt64)
    return rows.with_columns(rank).sort("rank").head(n).drop("rank")


def unsteered(generations: pl.DataFrame) -> pl.DataFrame:
    """The rows of row 1, each answer once: towards several targets it is the same."""
    rows = generations.filter(pl.col("condition") == BASELINE).sort("request_id")
    return rows.unique(["question_id", "question_group", "sample"], keep="first", maintain_order=True)


def endings(generations: pl.DataFrame, asks_on: str) -> pl.DataFrame:
    """By condition: how many answers, and the shares that ended by themselves, at a stop string, and that ask on.

    Args:
        generations: GENERATIONS.
        asks_on: regular expression of what begins another question.
    """
    return generations.group_by("condition", maintain_order=True).agg(
        n=pl.len(),
        ended=(pl.col("finish_reason") == "stop").mean(),
        at_stop_string=(pl.col("finish_reason") == "stop_string").mean(),
        next_question=pl.col("text").str.contains(asks_on).mean(),
        empty=(pl.col("text").str.strip_chars() == "").mean(),
    )


def human_answers(samples: pl.DataFrame, question_ids: Sequence[str]) -> pl.DataFrame:
    """One answer that a human gave to each of these questions (question_id, answer), that of the smallest answer_id."""
    return (
        samples.filter(pl.col("question_id").is_in(list(dict.fromkeys(question_ids))))
        .sort("answer_id")
        .unique("question_id", keep="first", maintain_order=True)
        .select("question_id", "answer")
    )
