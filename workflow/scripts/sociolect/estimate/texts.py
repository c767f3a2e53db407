"""What the probes work on: answers of the run, and attributes of usual length."""

from __future__ import annotations

import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.seeds import stable_hash
from sociolect.stylometry.style_attributes import ATTRIBUTES, SYNTAX_ATTRIBUTES

__all__ = ["attribute_table", "draw_texts", "most_attributes"]

TEXTS = 2048


def draw_texts(samples: pl.DataFrame) -> pl.DataFrame:
    """Some train answers with their questions, in an order that says nothing of their lengths.

    Raises:
        InputError: there are fewer than two.
    """
    train = samples.filter(pl.col("part") == "train").unique("answer_id", keep="first", maintain_order=True)
    if train.height < 2:
        raise InputError("the samples have fewer than two answers of part train: nothing to probe with")
    rank = pl.Series("rank", [stable_hash("probe", a) for a in train["answer_id"]], dtype=pl.UInt64)
    return train.with_columns(rank).sort("rank", "answer_id").drop("rank").head(TEXTS)


def attribute_table(k: int) -> pl.DataFrame:
    """K attributes with the columns of CATALOGUE that the probes read: before a run there is no catalogue."""
    names = [f"{ATTRIBUTES[i % len(ATTRIBUTES)].name}{' again' * (i // len(ATTRIBUTES))}" for i in range(k)]
    return pl.DataFrame(
        {
            "attribute_id": [f"p{i:04d}" for i in range(k)],
            "attribute": names,
            "author_sentence": [f"The author uses {name}." for name in names],
            "you_sentence": [f"You use {name}." for name in names],
        }
    )


def most_attributes(describer: str, max_attributes: int, tagger: str) -> int:
    """The most attributes that a catalogue can have: a language model may say anything, stylometry knows its list."""
    known = len(ATTRIBUTES) + (len(SYNTAX_ATTRIBUTES) if tagger != "none" else 0)
    return min(max_attributes, known) if describer == "stylometry" else max_attributes
