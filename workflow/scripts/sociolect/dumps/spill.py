"""Posts on the disk, in buckets by question: what belongs together is in one bucket, which fits into memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from sociolect.common.seeds import stable_hash

__all__ = ["POSTS", "Spill", "buckets_for"]

POSTS = {
    "question": pl.String,
    "answer": pl.String,
    "asked": pl.String,
    "text": pl.String,
    "group": pl.String,
    "askx": pl.Boolean,
    "author": pl.String,
    "score": pl.Int64,
    "best": pl.String,
    "place": pl.String,
}
# bytes of the dump that a bucket is made for, and characters that are held before they are written
BUCKET = 16_000_000
HELD = 8_000_000


def buckets_for(size: int) -> int:
    """How many buckets a dump of so many bytes, unpacked, needs."""
    return max(1, -(-size // BUCKET))


class Spill:
    """Rows in as many files as there are buckets; of each bucket the rows in the order in which they came.

    Args:
        folder: empty; the files lie in it.
        buckets: how many.
    """

    def __init__(self, folder: Path, buckets: int) -> None:
        self.folder, self.buckets = folder, buckets
        self.held: dict[int, list[str]] = {}
        self.size = 0
        folder.mkdir(parents=True)

    def put(self, row: dict[str, Any]) -> None:
        """Keep a row with the keys of POSTS."""
        line = json.dumps(row)
        self.held.setdefault(stable_hash("dump", row["question"]) % self.buckets, []).append(line)
        self.size += len(line)
        if self.size > HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        for bucket, lines in self.held.items():
            with self._path(bucket).open("a", encoding="utf-8") as stream:
                stream.write("\n".join(lines) + "\n")
        self.held, self.size = {}, 0

    def frames(self) -> Iterator[pl.DataFrame]:
        """The rows of one bucket after the other; the file of a bucket goes when it has been read."""
        self.flush()
        for bucket in range(self.buckets):
            path = self._path(bucket)
            if path.is_file():
                yield pl.read_ndjson(path, schema=POSTS)
                path.unlink()

    def _path(self, bucket: int) -> Path:
        return self.folder / f"{bucket:05d}.jsonl"
