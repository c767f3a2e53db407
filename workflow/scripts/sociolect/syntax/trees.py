"""Tagged answers as flat arrays over all their tokens, and what hangs on what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sociolect.common.errors import InputError

__all__ = ["Trees", "read_trees"]

_NO_WORDS = ("PUNCT", "SYM")
_DEEPEST = 5_000


@dataclass(frozen=True)
class Trees:
    """Tokens of all texts, one after the other [N].

    Attributes:
        n: texts.
        text: number of the token's text.
        sentence: number of the token's sentence, counted through all texts.
        head: number of the token's head; a root's is its own.
        values: column (pos, tag, dep, or word, which is what POSNoise leaves of it) -> number of the token's value.
        numbers: column -> value -> its number.
    """

    n: int
    text: np.ndarray
    sentence: np.ndarray
    head: np.ndarray
    values: dict[str, np.ndarray]
    numbers: dict[str, dict[str, int]]

    @property
    def size(self) -> int:
        """Number of tokens."""
        return len(self.text)

    def has(self, column: str, *names: str) -> np.ndarray:
        """Tokens that have one of these names in pos, tag, dep or word, bool [N]."""
        found = np.zeros(self.size, dtype=bool)
        for name in names:
            found |= self.values[column] == self.numbers[column].get(name, -1)
        return found

    @property
    def is_word(self) -> np.ndarray:
        """Tokens that are words, bool [N]."""
        return ~self.has("pos", *_NO_WORDS)

    @property
    def is_root(self) -> np.ndarray:
        """Tokens without a head, bool [N]."""
        return np.asarray(self.head == np.arange(self.size))

    @property
    def offset(self) -> np.ndarray:
        """From each token to its head, in tokens [N]."""
        return self.head - np.arange(self.size)

    def children(self, which: np.ndarray) -> np.ndarray:
        """How many of the tokens `which` hang on each token [N]."""
        hanging = which & ~self.is_root
        return np.bincount(self.head[hanging], minlength=self.size)

    def next(self, which: np.ndarray, steps: int = 1) -> np.ndarray:
        """Tokens behind which, so many steps on and in the same sentence, one of `which` stands, bool [N]."""
        found = np.zeros(self.size, dtype=bool)
        if self.size > steps:
            found[:-steps] = which[steps:] & (self.sentence[:-steps] == self.sentence[steps:])
        return found

    def previous(self, which: np.ndarray) -> np.ndarray:
        """Tokens right before which, in the same sentence, one of `which` stands, bool [N]."""
        found = np.zeros(self.size, dtype=bool)
        found[1:] = which[:-1] & (self.sentence[:-1] == self.sentence[1:])
        return found

    @property
    def is_first(self) -> np.ndarray:
        """Tokens that begin a sentence, bool [N]."""
        first = np.ones(self.size, dtype=bool)
        first[1:] = self.sentence[1:] != self.sentence[:-1]
        return first

    @property
    def is_last(self) -> np.ndarray:
        """Tokens that end a sentence, bool [N]."""
        last = np.ones(self.size, dtype=bool)
        last[:-1] = self.is_first[1:]
        return last

    def per_text(self, which: np.ndarray) -> np.ndarray:
        """How many of the tokens `which`, or the sum of these values, each text has, float64 [n]."""
        return np.bincount(self.text, weights=which.astype(np.float64), minlength=self.n)

    def depths(self) -> np.ndarray:
        """Steps from each token up to its root [N].

        Raises:
            InputError: heads that lead in a circle.
        """
        depth = np.zeros(self.size, dtype=np.int64)
        at = np.arange(self.size)
        left = np.flatnonzero(~self.is_root)
        while left.size:
            at[left] = self.head[at[left]]
            depth[left] += 1
            left = left[self.head[at[left]] != at[left]]
            if left.size and depth[left[0]] > _DEEPEST:
                raise InputError("tagged answers: heads lead in a circle; delete the table and run tag_answers again")
        return depth


def read_trees(tagged: pl.DataFrame) -> Trees:
    """Arrays of a frame of schema TAGGED, in the order of its rows.

    Raises:
        InputError: a head that lies outside its text.
    """
    sizes = tagged["pos"].list.len().to_numpy().astype(np.int64)
    rows = tagged.select("pos", "tag", "dep", "head", "start", "noised").filter(pl.col("pos").list.len() > 0)
    rows = rows.explode(*rows.columns)
    text = np.repeat(np.arange(len(sizes)), sizes)
    head = np.arange(len(text)) + rows["head"].to_numpy().astype(np.int64)
    if len(text):
        strange = (head < 0) | (head >= len(text))
        strange |= text[np.clip(head, 0, len(text) - 1)] != text
        if strange.any():
            raise InputError(
                f"tagged answers: row {int(text[int(strange.argmax())])} has a head outside its text; delete the table "
                "and run tag_answers again"
            )
    opens = rows["start"].to_numpy().astype(bool)
    opens = opens | np.concatenate([[True], text[1:] != text[:-1]])[: len(text)]

    columns = {"pos": rows["pos"], "tag": rows["tag"], "dep": rows["dep"], "word": rows["noised"]}
    names = {name: sorted(values.unique()) for name, values in columns.items()}
    numbers = {name: {value: number for number, value in enumerate(known)} for name, known in names.items()}
    values = {
        name: column.replace_strict(list(numbers[name]), list(numbers[name].values()), return_dtype=pl.Int64).to_numpy()
        for name, column in columns.items()
    }
    return Trees(len(sizes), text, np.cumsum(opens) - 1, head, values, numbers)
