"""Posts on the disk, in buckets by question: what belongs together is in one bucket.

A bucket fits into memory; one of a question with very many answers comes in pieces that do.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
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
    "table": pl.String,
    "place": pl.String,
    "order": pl.Int64,
}
# bytes of the dump that a bucket is made for; one that has more than twice as many on the disk is cut
BUCKET = 16_000_000
# characters that are held before they are written
HELD = 8_000_000


def buckets_for(size: int) -> int:
    """How many buckets a dump of so many bytes, unpacked, needs."""
    return max(1, -(-size // BUCKET))


class Spill:
    """Rows in as many files as there are buckets; of each bucket the rows in the order in which they came.

    Args:
        folder: empty; the files lie in it.
        buckets: how many.
        key: what is the same in all rows of a bucket or piece.
    """

    def __init__(self, folder: Path, buckets: int, key: str = "question") -> None:
        self.folder, self.n_buckets, self.key = folder, buckets, key
        self.held: dict[int, list[str]] = {}
        self.size = self.count = 0
        folder.mkdir(parents=True)

    def put(self, row: dict[str, Any]) -> None:
        """Keep a row with the keys of POSTS but for order, which is that of the calls."""
        self._keep(json.dumps({**row, "order": self.count}), row)
        self.count += 1

    def _keep(self, line: str, row: dict[str, Any]) -> None:
        self.held.setdefault(stable_hash("dump", row[self.key]) % self.n_buckets, []).append(line)
        self.size += len(line)
        if self.size > HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        for bucket, lines in self.held.items():
            with self._path(bucket).open("a", encoding="utf-8") as stream:
                stream.write("\n".join(lines) + "\n")
        self.held, self.size = {}, 0

    def buckets(self) -> Iterator[Iterable[pl.DataFrame]]:
        """One bucket after the other, as pieces that can be gone through several times, until the next one.

        All rows of a question are in one bucket, all rows with one id of an answer in one piece of it. The files of a
        bucket go when the next one is asked for.
        """
        for path in self._paths():
            if path.stat().st_size <= 2 * BUCKET:
                yield [pl.read_ndjson(path, schema=POSTS)]
            else:
                cut = self._cut(path)
                yield cut
                shutil.rmtree(cut.folder)
            path.unlink(missing_ok=True)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return (pl.read_ndjson(path, schema=POSTS) for path in self._paths())

    def _cut(self, path: Path) -> Spill:
        pieces = Spill(path.with_suffix(""), buckets_for(path.stat().st_size), key="answer")
        with path.open(encoding="utf-8") as stream:
            for line in stream:
                pieces._keep(line.rstrip("\n"), json.loads(line))
        path.unlink()
        return pieces

    def _paths(self) -> Iterator[Path]:
        self.flush()
        return (path for bucket in range(self.n_buckets) if (path := self._path(bucket)).is_file())

    def _path(self, bucket: int) -> Path:
        return self.folder / f"{bucket:05d}.jsonl"
