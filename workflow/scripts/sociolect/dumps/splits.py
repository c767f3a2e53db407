"""Questions and answers -> the splits: single, multi and askx, of the same posts."""

from __future__ import annotations

from typing import Literal

import polars as pl

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import CORPUS
from sociolect.dumps.funnel import Funnel
from sociolect.dumps.posts import Rule

__all__ = ["SPLITS", "Single", "join_answers", "make_splits", "rule_of"]

Single = Literal["best", "only"]

_OTHERS, _WORSE, _ALONE, _UNASKED = (
    "its question has several answers",
    "another answer of its question is accepted or scored higher",
    "the only answer of its question",
    "its question is not put to a group",
)
SPLITS = ("single", "multi", "askx")
_RULES = {"single": _WORSE, "multi": _ALONE, "askx": _UNASKED}


def rule_of(split: str, single: Single) -> str:
    """The rule that leaves answers out of a split."""
    return _OTHERS if split == "single" and single == "only" else _RULES[split]


def join_answers(posts: pl.DataFrame, funnel: Funnel) -> pl.DataFrame:
    """The answers with their questions.

    Args:
        posts: columns of POSTS, of whole questions: a question with all its answers.
        funnel: gets what is left out.
    """
    questions = posts.filter(pl.col("asked").is_not_null())
    two = questions.filter(pl.col("asked").n_unique().over("question") > 1)["question"].unique().implode()
    questions = questions.unique("question", keep="first", maintain_order=True)
    answers = posts.filter(pl.col("answer").is_not_null())
    joined = answers.drop("asked", "group", "askx", "best").join(
        questions.select("question", "asked", "group", "askx", accepted="best"), on="question", how="left"
    )
    # a row that is question and answer says by itself whether the answer is accepted
    own = answers.select(own=(pl.col("best") == pl.col("answer")).fill_null(False))
    joined = joined.with_columns(best=own["own"] | (pl.col("accepted") == pl.col("answer")).fill_null(False))
    for rule, met in (
        (Rule.ORPHAN, pl.col("asked").is_null()),
        (Rule.TWICE, ~pl.col("answer").is_first_distinct()),
        (Rule.TWO_TEXTS, pl.col("question").is_in(two)),
    ):
        joined = _leave_out(joined, met, rule, funnel)
    return joined


def make_splits(answers: pl.DataFrame, single: Single, funnels: dict[str, Funnel]) -> dict[str, pl.DataFrame]:
    """Each split's input table, of the answers with their questions.

    Args:
        answers: as `join_answers` gives them.
        single: best takes of every question the accepted answer, else the one with the highest score, of several the
            first; only takes questions with one answer.
        funnels: of the splits that are made; they get what is left out.
    """
    several = pl.len().over("question") > 1
    ranked = answers.with_columns(order=pl.int_range(pl.len()), several=several)
    ranked = ranked.sort("question", "best", "score", "order", descending=[False, True, True, False])
    ranked = ranked.with_columns(chosen=pl.col("question").is_first_distinct()).sort("order")
    rejected = {
        "single": ~pl.col("chosen") if single == "best" else pl.col("several"),
        "multi": ~pl.col("several"),
        "askx": ~pl.col("askx"),
    }
    return {
        split: _table(_leave_out(ranked, met, rule_of(split, single), funnels[split]))
        for split, met in rejected.items()
        if split in funnels
    }


def _leave_out(frame: pl.DataFrame, met: pl.Expr, rule: str, funnel: Funnel) -> pl.DataFrame:
    out = frame.filter(met)
    if out.height:
        funnel.add(rule, out.height, out["place"][0])
    return frame.filter(~met)


def _table(answers: pl.DataFrame) -> pl.DataFrame:
    table = answers.select(
        question_id="question",
        question="asked",
        answer_id="answer",
        answer="text",
        author="author",
        group="group",
    )
    return check_table(table, CORPUS, "import")
