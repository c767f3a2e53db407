"""Text without its topic: every content word is one symbol, function words and punctuation stay as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

__all__ = ["MASK", "mask_content"]

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
    "ain aren couldn d did didn does doesn doing don hadn hasn haven having isn just let ll m mustn ought s shall "
    "shouldn t than ve wasn weren won wouldn"
)
_FUNCTION = (ENGLISH_STOP_WORDS - set(_CONTENT.split())) | set(_MORE.split())


def mask_content(texts: Sequence[str]) -> list[str]:
    """Each text with all words and numbers but function words replaced by `MASK`; needs no tagger."""
    return [_WORD.sub(lambda found: found[0] if found[0].lower() in _FUNCTION else MASK, text) for text in texts]
