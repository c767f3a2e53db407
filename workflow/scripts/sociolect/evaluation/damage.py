"""Damage that steering does to a text: repetition and length. (Perplexity is measured with the model.)"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["distinct", "distinct_across", "longest_repeat", "words_of"]

_WORD = re.compile(r"\w+(?:['’]\w+)*")


def words_of(text: str) -> list[str]:
    """Words of a text in lower case, without punctuation."""
    return _WORD.findall(text.lower())


def distinct(words: Sequence[str], n: int) -> float | None:
    """Distinct n-grams over all n-grams (Li et al. 2016, distinct-n); None if the text is shorter than n words."""
    grams = _ngrams(words, n)
    return len(set(grams)) / len(grams) if grams else None


def distinct_across(texts: Sequence[Sequence[str]], n: int) -> float | None:
    """Distinct n-grams of all texts together over all their n-grams: low where different texts say the same.

    It falls with the number of texts, so only rows of the same n can be compared; None if no text has n words.

    Args:
        texts: words of each text.
    """
    grams = [gram for words in texts for gram in _ngrams(words, n)]
    return len(set(grams)) / len(grams) if grams else None


def longest_repeat(words: Sequence[str]) -> float | None:
    """Length of the longest n-gram that occurs twice (overlaps count), over the number of words.

    0 where no word occurs twice; close to 1 for a loop; None for no words.
    """
    if not words:
        return None
    # if an n-gram repeats, so does its beginning: the longest one is found by bisection
    low, high = 0, len(words) - 1
    while low < high:
        middle = (low + high + 1) // 2
        grams = _ngrams(words, middle)
        low, high = (middle, high) if len(set(grams)) < len(grams) else (low, middle - 1)
    return low / len(words)


def _ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
