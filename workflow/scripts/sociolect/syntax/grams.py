"""Tagged answers as texts whose words are parts of speech, noised words, marks or relations: n-grams are made of them.

Words are parted by spaces: TfidfVectorizer(token_pattern=r"\\S+", lowercase=False, ngram_range=GRAMS[...]).
"""

from __future__ import annotations

import polars as pl

__all__ = ["GRAMS", "TERMS", "mark_text", "noised_text", "pos_text", "relation_text"]

# kind of text -> shortest and longest n-gram that is worth counting
GRAMS = {"pos": (1, 4), "noised": (1, 3), "marks": (1, 3), "relations": (1, 2)}
# most frequent n-grams that are kept of each
TERMS = {"pos": 20_000, "noised": 30_000, "marks": 2_000, "relations": 5_000}
_MARKS = r"^[^\w\s]+$"


def pos_text(tagged: pl.DataFrame) -> list[str]:
    """Universal parts of speech, with the end of each sentence as `|`.

    Example:
        >>> one = {"pos": [["PRON", "VERB", "NOUN"]], "start": [[True, False, True]]}
        >>> pos_text(pl.DataFrame(one))
        ['PRON VERB | NOUN |']
    """
    return _joined(tagged, pl.col("pos"))


def noised_text(tagged: pl.DataFrame) -> list[str]:
    """Function words, marks, and letters in place of content words (posnoise.py)."""
    return tagged.select(pl.col("noised").list.join(" ")).to_series().to_list()


def mark_text(tagged: pl.DataFrame) -> list[str]:
    """Punctuation marks in their order, without what lies between them; the end of each sentence as `|`."""
    tokens = _tokens(tagged, pl.col("noised")).filter(pl.col("token").str.contains(_MARKS))
    return _gathered(tagged, tokens)


def relation_text(tagged: pl.DataFrame) -> list[str]:
    """The relation of each token and the side on which its head lies: `nsubj>` hangs on a later token, `dobj<` on an
    earlier one; a root is `ROOT`.
    """
    rows = tagged.with_row_index("row").select("row", "dep", "head").explode("dep", "head").drop_nulls("dep")
    side = (
        pl.when(pl.col("head") > 0).then(pl.lit(">")).when(pl.col("head") < 0).then(pl.lit("<")).otherwise(pl.lit(""))
    )
    return _gathered(tagged, rows.select("row", token=pl.col("dep") + side))


def _tokens(tagged: pl.DataFrame, column: pl.Expr) -> pl.DataFrame:
    """row and token, with `|` behind the last token of each sentence."""
    rows = tagged.with_row_index("row").select("row", column.alias("token"), "start")
    rows = rows.explode("token", "start").drop_nulls("token")
    following = pl.col("start").shift(-1).fill_null(True)
    parted = pl.when(following).then(pl.concat_list("token", pl.lit("|"))).otherwise(pl.concat_list("token"))
    return rows.select("row", token=parted).explode("token")


def _joined(tagged: pl.DataFrame, column: pl.Expr) -> list[str]:
    return _gathered(tagged, _tokens(tagged, column))


def _gathered(tagged: pl.DataFrame, tokens: pl.DataFrame) -> list[str]:
    """One text per row of the table, empty where it has no token."""
    texts = dict(tokens.group_by("row", maintain_order=True).agg(pl.col("token").str.join(" ")).iter_rows())
    return [texts.get(row, "") for row in range(tagged.height)]
