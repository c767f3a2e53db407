"""Strings that end a text: where the first begins, and which of many texts that grow have come to one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

__all__ = ["StopWatch", "first_stop", "text_of"]

# tokens beyond the characters of a stop string that are decoded with it: special ones and bytes have no character
SPARE = 8


def text_of(token_ids: Sequence[int], tokenizer: Any) -> str:
    """The text of generated tokens, without special ones."""
    return str(tokenizer.decode(token_ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def first_stop(text: str, stop: Collection[str]) -> int | None:
    """Where the first of the stop strings begins; None if there is none."""
    return min((at for at in (text.find(string) for string in stop) if at >= 0), default=None)


class StopWatch:
    """Follows the texts of a batch.

    Args:
        stops: the stop strings of each row.
        tokenizer: of the language model.
    """

    def __init__(self, stops: Sequence[Sequence[str]], tokenizer: Any) -> None:
        self._stops, self._tokenizer = stops, tokenizer
        self._said: list[list[int]] = [[] for _ in stops]
        self._lengths = [max(map(len, stop), default=0) + SPARE for stop in stops]
        self.needed = any(stops)

    def take(self, rows: Sequence[int], tokens: Sequence[int]) -> list[bool]:
        """Which of these rows hold a stop string, now that each has got a token."""
        found = []
        for row, token in zip(rows, tokens, strict=True):
            said = self._said[row]
            said.append(token)
            # the texts before were looked at: only the end can hold a new one
            tail = text_of(said[-self._lengths[row] :], self._tokenizer) if self._stops[row] else ""
            found.append(first_stop(tail, self._stops[row]) is not None)
        return found
