"""Resumable pieces: work cut into fixed hash buckets, each kept on disk under the digest of what made it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from sociolect.common.artifacts import Schema, read_provenance, read_table, write_table
from sociolect.common.errors import InputError
from sociolect.common.seeds import stable_hash

__all__ = ["PieceStore", "bucket_of", "buckets_of_shard"]

Make = Callable[[Sequence[int]], Iterator[tuple[int, pl.DataFrame]]]


class PieceStore:
    """Pieces of one table in a folder. A piece counts only if it is whole and was made under the same key.

    Args:
        folder: where the pieces lie; made when the first one is put.
        key: digest of all that decides the pieces' content.
        schema: of each piece.
    """

    def __init__(self, folder: Path, key: str, schema: Schema) -> None:
        self.folder, self.key, self.schema = Path(folder), key, schema

    def path(self, index: int) -> Path:
        """File of a piece."""
        return self.folder / f"{index:05d}.parquet"

    def get(self, index: int, part: str = "") -> pl.DataFrame | None:
        """The piece, or None if it is absent, broken, or of another key.

        Args:
            index: number of the bucket.
            part: digest of what decides this piece alone, such as its rows of the input.
        """
        path = self.path(index)
        if not path.is_file():
            return None
        try:
            if read_provenance(path).get("key") != [self.key, part]:
                return None
            return read_table(path, self.schema)
        except InputError:
            # a piece that cannot be read is made again
            return None

    def put(self, index: int, frame: pl.DataFrame, part: str = "", **provenance: Any) -> None:
        """Write a piece atomically, in place of an older one."""
        write_table(frame, self.path(index), self.schema, {"key": [self.key, part], **provenance})

    def complete(self, parts: Mapping[int, str], make: Make) -> list[pl.DataFrame]:
        """All pieces, in the order of their numbers; those that are not there are made, and kept as soon as they are.

        Args:
            parts: number of the bucket -> digest of what decides this piece alone.
            make: numbers of the missing buckets -> (number, piece) of each, in any order.
        """
        found = {index: frame for index, part in parts.items() if (frame := self.get(index, part)) is not None}
        for index, frame in make([index for index in sorted(parts) if index not in found]):
            self.put(index, frame, parts[index])
            found[index] = frame
        return [found[index] for index in sorted(found)]


def bucket_of(n_buckets: int, *names: object) -> int:
    """Bucket of a row by a stable hash of its names: the same on every machine."""
    return stable_hash("bucket", *names) % n_buckets


def buckets_of_shard(shard: str, n_buckets: int) -> list[int]:
    """Buckets of a shard, `2-of-8` or `2/8`, counted from 1.

    Raises:
        InputError: another form, or a number out of range.
    """
    match = re.fullmatch(r"(\d+)(?:-of-|/)(\d+)", shard)
    if match is None:
        raise InputError(f"--shard {shard!r}: use the form 1-of-8")
    index, total = int(match[1]), int(match[2])
    if not 1 <= index <= total:
        raise InputError(f"--shard {shard!r}: the first number must be from 1 to {total}")
    return list(range(index - 1, n_buckets, total))
