"""Human texts cut to the length of generated ones, so that a judge is measured on texts as short as those it judges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sociolect.common.errors import InputError

__all__ = ["cut_texts", "first_tokens"]


def cut_texts(texts: Sequence[str], tokenizer: Any, max_tokens: int) -> list[str]:
    """The beginning of each text, of at most `max_tokens` tokens.

    Args:
        texts: [n].
        tokenizer: a fast tokenizer of transformers, which knows where its tokens lie.
        max_tokens: at least 1.

    Raises:
        InputError: fewer than one token.
    """
    if max_tokens < 1:
        raise InputError(f"texts cannot be cut to {max_tokens} tokens; at least 1 is needed")
    return [first_tokens(text, tokenizer, max_tokens) for text in texts]


def first_tokens(text: str, tokenizer: Any, n: int) -> str:
    """The beginning of a text, of at most `n` tokens."""
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
    return text if len(offsets) <= n else text[: offsets[n - 1][1]]
