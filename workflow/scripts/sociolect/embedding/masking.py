"""Text without its topic: every content word is one symbol, function words and punctuation stay as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from sociolect.syntax.posnoise import SYMBOLS

__all__ = ["MASK", "mask_by_tags", "mask_content"]

# of two letters, so that word n-grams count it
MASK = "xx"
_WORD = re.compile(r"[^\W_]+")
# words of scikit-learn's list that name things, deeds or qualities
_CONTENT = (
    "amount bill bottom call co con cry de describe detail empty fill find fire found front full inc interest ltd mill "
    "move name part serious show side sincere system thick thin top un"
)
# auxiliaries that the list lacks, and what an apostrophe leaves of contractions
_MORE = (
    "ain't aren't couldn't did didn't does doesn't doing don't hadn't hasn't haven't having he'd he'll i'm i've isn't "
    "it's just let mustn't ought shall shouldn't than wasn't weren't won't wouldn't"
)
_FUNCTION = (ENGLISH_STOP_WORDS - set(_CONTENT.split())) | set(_WORD.findall(_MORE))


def mask_content(texts: Sequence[str]) -> list[str]:
    """Each text with all words and numbers but function words replaced by `MASK`; needs no tagger."""
    return [_WORD.sub(lambda found: found[0] if found[0].lower() in _FUNCTION else MASK, text) for text in texts]


def mask_by_tags(tagged: pl.DataFrame) -> list[str]:
    """Each text by POSNoise, the letter of a content word twice, so that word n-grams count it.

    Args:
        tagged: rows of schema TAGGED.

    Example:
        >>> mask_by_tags(pl.DataFrame({"noised": [["we", "V", "the", "N", "."]]}))
        ['we VV the NN .']
    """
    token = pl.element()
    twice = pl.when(token.is_in(list(SYMBOLS.values()))).then(token + token).otherwise(token)
    return tagged.select(pl.col("noised").list.eval(twice).list.join(" ")).to_series().to_list()
