"""Questions and answers -> the splits: single, multi and askx, of the same posts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import polars as pl

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import CORPUS
from sociolect.dumps.funnel import Funnel
from sociolect.dumps.posts import Rule

__all__ = ["SPLITS", "Single", "rule_of", "split_bucket"]

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


def split_bucket(
    bucket: Iterable[pl.DataFrame], single: Single, joining: Funnel, funnels: dict[str, Funnel]
) -> Iterator[dict[str, pl.DataFrame]]:
    """Each split's input table of the answers of a bucket, piece by piece.

    Args:
        bucket: pieces with the columns of POSTS, gone through several times; see `Spill.buckets`.
        single: best takes of each group's answers to a question the accepted one, else the one with the highest
            score, of several the first; only takes those that are their group's only one.
        joining: gets what is left out of all splits.
        funnels: of the splits that are made; they get what is left out of each.
    """
    questions = questions_of(bucket)
    ranks = rank_answers(join_answers(posts, questions, Funnel()) for posts in bucket)
    for posts in bucket:
        yield make_splits(join_answers(posts, questions, joining), ranks, single, funnels)


def questions_of(pieces: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The questions of a bucket, once for each table that has them.

    An id that has one text in one table and another one in another is that of two questions: it gets the table's name.

    Args:
        pieces: columns of POSTS.

    Returns:
        question, table: as posts have them; id; asked; in_group, put: group of the question and whether it is put to
        it; accepted: id of an answer; two_texts: whether its table has two texts for it.
    """
    text = ["question", "table", "asked"]
    found = pl.concat(
        piece.filter(pl.col("asked").is_not_null())
        .select(*text, "order", in_group="group", put="askx", accepted="best")
        .unique(text, keep="first", maintain_order=True)
        for piece in pieces
    )
    found = found.sort("order").unique(text, keep="first", maintain_order=True)
    texts, tables = (pl.col(name).n_unique().over("question") for name in ("asked", "table"))
    found = found.with_columns(
        id=_of_its_table("question", (texts > 1) & (tables > 1)),
        two_texts=pl.col("asked").n_unique().over("question", "table") > 1,
    )
    return found.unique(["question", "table"], keep="first", maintain_order=True).drop("order")


def join_answers(posts: pl.DataFrame, questions: pl.DataFrame, funnel: Funnel) -> pl.DataFrame:
    """The answers with their questions.

    Args:
        posts: columns of POSTS, with all that have an answer's id.
        questions: see `questions_of`.
        funnel: gets what is left out.
    """
    answers = posts.filter(pl.col("answer").is_not_null())
    # a row that is question and answer says by itself whether the answer is accepted
    answers = answers.with_columns(best=(pl.col("best") == pl.col("answer")).fill_null(False)).drop("asked")
    joined = answers.join(questions, on=["question", "table"], how="left", maintain_order="left")
    joined = joined.with_columns(
        best=pl.col("best") | (pl.col("accepted") == pl.col("answer")).fill_null(False),
        group=pl.coalesce("group", "in_group"),
        askx=pl.when(pl.col("group").is_null()).then("put").otherwise("askx"),
    )
    joined = _leave_out(joined, pl.col("asked").is_null(), Rule.ORPHAN, funnel)
    same = pl.struct("id", "answer", "text", "group", "author")
    joined = _leave_out(joined, ~same.is_first_distinct(), Rule.TWICE, funnel)
    joined = joined.with_columns(answer=_of_its_table("answer", pl.col("table").n_unique().over("answer") > 1))
    joined = _leave_out(joined, ~pl.col("answer").is_first_distinct(), Rule.SAME_ID, funnel)
    return _leave_out(joined, pl.col("two_texts"), Rule.TWO_TEXTS, funnel)


def rank_answers(pieces: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Of each group's answers to each question how many there are, and the best one.

    Args:
        pieces: as `join_answers` gives them.

    Returns:
        id, group, n, and chosen: the best one's order.
    """
    by, cell = ["best", "score", "order"], ["id", "group"]
    falling = [True, True, False]
    found = pl.concat(
        piece.sort(by, descending=falling).group_by(cell, maintain_order=True).agg(pl.col(by).first(), n=pl.len())
        for piece in pieces
    )
    found = found.sort(by, descending=falling)
    return found.group_by(cell, maintain_order=True).agg(pl.col("n").sum(), chosen=pl.col("order").first())


def make_splits(
    answers: pl.DataFrame, ranks: pl.DataFrame, single: Single, funnels: dict[str, Funnel]
) -> dict[str, pl.DataFrame]:
    """Each split's input table, of the answers with their questions.

    Args:
        answers: as `join_answers` gives them.
        ranks: see `rank_answers`.
        single: see `split_bucket`.
        funnels: of the splits that are made; they get what is left out.
    """
    ranked = answers.join(ranks, on=["id", "group"], how="left", maintain_order="left")
    several = pl.col("n") > 1
    rejected = {
        "single": pl.col("order") != pl.col("chosen") if single == "best" else several,
        "multi": ~several,
        "askx": ~pl.col("askx"),
    }
    return {
        split: _table(_leave_out(ranked, met, rule_of(split, single), funnels[split]))
        for split, met in rejected.items()
        if split in funnels
    }


def _of_its_table(name: str, met: pl.Expr) -> pl.Expr:
    """An id with its table's name before it, where `met` says so."""
    return pl.when(met).then(pl.concat_str("table", name, separator="-")).otherwise(name)


def _leave_out(frame: pl.DataFrame, met: pl.Expr, rule: str, funnel: Funnel) -> pl.DataFrame:
    out = frame.filter(met)
    if out.height:
        funnel.add(rule, out.height, out["place"][0])
    return frame.filter(~met)


def _table(answers: pl.DataFrame) -> pl.DataFrame:
    table = answers.select(
        question_id="id",
        question="asked",
        answer_id="answer",
        answer="text",
        author="author",
        group="group",
    )
    return check_table(table, CORPUS, "import")
