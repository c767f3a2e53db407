"""The tagged rows of given answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from sociolect.common.artifacts import read_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import TAGGED

__all__ = ["read_rows", "rows_of"]


def read_rows(paths: Sequence[Path], answers: pl.DataFrame) -> pl.DataFrame | None:
    """Tagged rows of answers, in their order; None where no table is given, since nothing is tagged.

    Args:
        paths: tables of schema TAGGED.
        answers: with a column answer_id.

    Raises:
        InputError: an answer is in none of the tables, or a table is broken.
    """
    if not paths:
        return None
    wanted = answers.select(pl.col("answer_id").unique())
    return rows_of(answers, pl.concat([read_table(p, TAGGED).join(wanted, on="answer_id", how="semi") for p in paths]))


def rows_of(answers: pl.DataFrame, tagged: pl.DataFrame) -> pl.DataFrame:
    """Tagged rows of answers, in their order.

    Args:
        answers: with a column answer_id; one id stands for one text, in whatever split.
        tagged: frame of schema TAGGED, of one or several splits.

    Raises:
        InputError: an answer is not tagged.
    """
    once = tagged.unique("answer_id", keep="first", maintain_order=True)
    found = answers.select("answer_id").join(once, on="answer_id", how="left", maintain_order="left")
    missing = found.filter(pl.col("pos").is_null())
    if missing.height:
        raise InputError(
            f"answer {missing['answer_id'][0]!r} is not tagged ({missing.height} missing in all); run tag_answers again"
        )
    return found
