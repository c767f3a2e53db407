"""Text without its topic: every content word is one symbol, function words and punctuation stay as they are."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import polars as pl
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from sociolect.syntax.posnoise import SYMBOLS

__all__ = ["MASK", "content_words", "mask_by_tags", "mask_content", "replace_content"]

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


def content_words(texts: Sequence[str]) -> list[str]:
    """All words and numbers of the texts but function words, in lower case, as often as they are there."""
    words = (found[0].lower() for text in texts for found in _WORD.finditer(text))
    return [word for word in words if word not in _FUNCTION]


def replace_content(texts: Sequence[str], pool: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """Each text with every content word replaced by one of the pool, written as large as the word was.

    Function words, punctuation and white space stay, so that a language model still reads language.

    Args:
        texts: answers.
        pool: words to draw from; an empty pool masks.
        seeds: of each text's draws.
    """

    def replaced(text: str, seed: int) -> str:
        rng = random.Random(seed)

        def other(found: re.Match[str]) -> str:
            word = found[0]
            if word.lower() in _FUNCTION:
                return word
            drawn = rng.choice(pool) if pool else MASK
            if len(word) > 1 and word.isupper():
                return drawn.upper()
            return drawn.capitalize() if word[0].isupper() else drawn

        return _WORD.sub(other, text)

    return [replaced(text, seed) for text, seed in zip(texts, seeds, strict=True)]


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
