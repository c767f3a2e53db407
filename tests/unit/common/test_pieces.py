"""Pieces: what is there is taken, what is missing is made and kept at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest

from sociolect.common.artifacts import Column, Schema
from sociolect.common.pieces import PieceStore

NUMBERS = Schema("numbers", {"n": Column(pl.Int64, "a number")})


def piece(n: int) -> pl.DataFrame:
    return NUMBERS.frame([(n,)])


def test_missing_pieces_are_made_once_and_kept_as_they_come(tmp_path: Path) -> None:
    store = PieceStore(tmp_path, "key", NUMBERS)
    store.put(2, piece(2), "two")
    asked: list[list[int]] = []

    def make(missing: Sequence[int]) -> Iterator[tuple[int, pl.DataFrame]]:
        asked.append(list(missing))
        # in any order
        for index in reversed(missing):
            yield index, piece(index)
            assert store.path(index).is_file(), "a piece is kept before the next one is made"

    parts = {3: "three", 1: "one", 2: "two"}
    assert [frame["n"][0] for frame in store.complete(parts, make)] == [1, 2, 3]
    assert [frame["n"][0] for frame in store.complete(parts, make)] == [1, 2, 3]
    assert asked == [[1, 3], []]
    # another text in bucket 2, and another model
    store.complete({**parts, 2: "else"}, make)
    PieceStore(tmp_path, "other", NUMBERS).complete({1: "one"}, make)
    assert asked[2:] == [[2], [1]]


def test_what_was_made_before_a_failure_stays(tmp_path: Path) -> None:
    store = PieceStore(tmp_path, "key", NUMBERS)

    def fails(missing: Sequence[int]) -> Iterator[tuple[int, pl.DataFrame]]:
        yield 0, piece(0)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        store.complete({0: "", 1: ""}, fails)
    assert store.get(0) is not None and store.get(1) is None
