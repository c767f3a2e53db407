"""What was said of each described answer, in the ids of the catalogue."""

from __future__ import annotations

import polars as pl

from sociolect.common.errors import InputError


def attributes_of_answers(sentences: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """What was said of each described answer, in catalogue ids, for all parts.

    A near duplicate that was merged counts as the attribute it was merged into (it is found by the raw sentences in the
    catalogue's provenance). What is not in the catalogue is left out.

    Returns:
        A frame of answer_id, part, attributes (sorted list of attribute_id, empty where nothing was said), one row per
        answer, sorted by answer_id.

    Raises:
        InputError: an answer is in two parts.
    """
    said = sentences.select("answer_id", "part", "attribute", "sentence")
    answers = said.select("answer_id", "part").unique().sort("answer_id")
    twice = answers.filter(pl.col("answer_id").is_duplicated())
    if twice.height:
        parts = ", ".join(sorted(twice.head(2)["part"]))
        raise InputError(f"sentences: answer {twice['answer_id'][0]!r} is in the parts {parts}; describe it anew")
    names = names_of(said, catalogue)
    found = (
        said.join(names, on="attribute", how="inner")
        .group_by("answer_id")
        .agg(pl.col("attribute_id").unique().sort().alias("attributes"))
    )
    empty = pl.lit([], dtype=pl.List(pl.String))
    joined = answers.join(found, on="answer_id", how="left")
    return joined.with_columns(pl.col("attributes").fill_null(empty)).sort("answer_id")


def names_of(said: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """attribute -> attribute_id, of the attributes themselves and of the near duplicates merged into them."""
    own = catalogue.select("attribute", "attribute_id")
    raw = catalogue.select("attribute_id", sentence="raw_sentences").explode("sentence", empty_as_null=True)
    train = said.filter((pl.col("part") == "train") & pl.col("attribute").is_not_null())
    merged = train.select("attribute", "sentence").unique().join(raw, on="sentence", how="inner")
    merged = merged.select("attribute", "attribute_id").unique().join(own, on="attribute", how="anti")
    return pl.concat([own, merged])
