"""Human texts are cut at tokens."""

from __future__ import annotations

import pytest

from sociolect.common.errors import InputError
from sociolect.judges.human_texts import cut_texts, first_tokens
from tiny_models import word_tokenizer


def test_texts_keep_their_beginning_and_short_ones_stay() -> None:
    cut = cut_texts(["waa wab wac", "waa", ""], word_tokenizer(), 2)
    assert [text.strip() for text in cut] == ["waa wab", "waa", ""]
    assert first_tokens("waa", word_tokenizer(), 2) == "waa"


def test_no_tokens_are_no_text() -> None:
    with pytest.raises(InputError, match="0 tokens"):
        cut_texts(["waa"], word_tokenizer(), 0)
