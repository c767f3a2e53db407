"""TF-IDF of n-grams of texts whose words are parted by spaces, counted as numbers: millions of n-grams in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer

from sociolect.common.errors import InputError

__all__ = ["GramTfidf"]

_LARGEST = 2**62


@dataclass
class GramTfidf:
    """TF-IDF of word n-grams: sublinear counts, rows of length 1. Fitted on the train texts alone.

    What it gives is what scikit-learn's TfidfVectorizer gives, which takes minutes for as many n-grams.

    Attributes:
        shortest, longest: words of an n-gram.
        terms: n-grams that are kept: those in most train texts, of equals the first seen by number.
        least: train texts that an n-gram must be in.
    """

    shortest: int
    longest: int
    terms: int
    least: int = 2
    _words: pl.DataFrame = field(init=False, repr=False)
    _kept: dict[int, np.ndarray] = field(init=False, repr=False)
    _idf: TfidfTransformer = field(init=False, repr=False)

    def fit(self, texts: Sequence[str]) -> GramTfidf:
        """Learn the n-grams that are worth counting, and how many texts have each.

        Raises:
            InputError: no n-gram is in `least` texts.
        """
        numbered = _tokens(texts)
        known = numbered.group_by("word").agg(pl.col("text").n_unique().alias("texts"))
        known = known.filter(pl.col("texts") >= self.least).sort("word")
        self._words = known.select("word", number=pl.int_range(1, known.height + 1, dtype=pl.Int64))
        found: list[tuple[int, np.ndarray, np.ndarray]] = []
        for size, gram, text in self._grams(numbered):
            grams, place = np.unique(gram, return_inverse=True)
            in_texts = np.bincount(np.unique(place * len(texts) + text) // len(texts), minlength=len(grams))
            often = in_texts >= self.least
            found.append((size, grams[often], in_texts[often]))
        counts = np.concatenate([n for _, _, n in found]) if found else np.zeros(0, dtype=np.int64)
        if not counts.size:
            raise InputError(f"no n-gram is in {self.least} of the {len(texts)} tagged train answers: tag more of them")
        best = np.sort(np.argsort(-counts, kind="stable")[: self.terms])
        sizes = np.concatenate([np.full(len(grams), size) for size, grams, _ in found])[best]
        grams = np.concatenate([grams for _, grams, _ in found])[best]
        self._kept = {size: grams[sizes == size] for size in range(self.shortest, self.longest + 1)}
        self._idf = TfidfTransformer(sublinear_tf=True).fit(self._counts(texts))
        return self

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Rows of length 1, or 0 where a text has none of the n-grams, float32 [n, n-grams]."""
        return self._idf.transform(self._counts(texts)).astype(np.float32)

    def _counts(self, texts: Sequence[str]) -> csr_matrix:
        rows, columns, offset = [], [], 0
        kept = {size: grams for size, grams in self._kept.items() if grams.size}
        starts = {}
        for size, grams in kept.items():
            starts[size] = offset
            offset += len(grams)
        for size, gram, text in self._grams(_tokens(texts)):
            if size in kept:
                place = np.minimum(np.searchsorted(kept[size], gram), len(kept[size]) - 1)
                known = kept[size][place] == gram
                rows.append(text[known])
                columns.append(starts[size] + place[known])
        row, column = (np.concatenate(values) if values else np.zeros(0, dtype=np.int64) for values in (rows, columns))
        # equal places are summed
        return csr_matrix((np.ones(len(row)), (row, column)), shape=(len(texts), offset))

    def _grams(self, tokens: pl.DataFrame) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Size, number of each n-gram of known words, and its text."""
        joined = tokens.join(self._words, on="word", how="left", maintain_order="left")
        number, text = joined["number"].fill_null(0).to_numpy(), joined["text"].to_numpy().astype(np.int64)
        base = self._words.height + 1
        if base**self.longest > _LARGEST:
            raise InputError(f"{self._words.height} different words are too many for {self.longest}-grams")
        gram, whole = number.astype(np.int64), number > 0
        for size in range(1, self.longest + 1):
            if size > 1:
                gram, whole = gram[:-1] * base + number[size - 1 :], whole[:-1] & (number[size - 1 :] > 0)
            if size >= self.shortest and gram.size:
                inside = whole & (text[: len(gram)] == text[size - 1 :])
                yield size, gram[inside], text[: len(gram)][inside]


def _tokens(texts: Sequence[str]) -> pl.DataFrame:
    """text (its number) and word of each token."""
    words = pl.DataFrame({"word": pl.Series(list(texts), dtype=pl.String).str.split(" ")}).with_row_index("text")
    return words.explode("word").filter(pl.col("word").fill_null("") != "")
