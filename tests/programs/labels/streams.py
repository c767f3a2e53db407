"""Labeling without a model, for tests of what happens to the tables; run as a program it can be killed.

Nothing of torch is imported: a process is at work within a second.
"""

from __future__ import annotations

import hashlib
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from sociolect.common.artifacts import Column, Schema, table_writer
from sociolect.common.progress import Report
from sociolect.common.schemas import LABELS
from sociolect.labels.buckets import Labeled, Scored, gather_shards, iter_texts, label_buckets

N_BUCKETS = 80
PER_BUCKET = 8
WIDTH = 500
TEXTS = Schema("texts", {name: Column(pl.String, name) for name in ("answer_id", "answer")})


class HashScorer:
    """Scores that follow from the text alone, half of them reported on the way."""

    key = "hash"

    def score(self, texts: Sequence[str], progress: Report | None = None, tagged: pl.DataFrame | None = None) -> Scored:
        rows = [np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype=np.uint8) / 255 for text in texts]
        if progress is not None:
            progress(len(texts) // 2, len(texts))
        return Scored(np.array(rows, dtype=np.float32).reshape(len(texts), 32), 1, sum(not text for text in texts))


class ConstantScorer:
    """The same for all, as wide as a real catalogue."""

    key = "constant"

    def score(self, texts: Sequence[str], progress: Report | None = None, tagged: pl.DataFrame | None = None) -> Scored:
        return Scored(np.full((len(texts), WIDTH), 0.5, dtype=np.float32), 0, 0)


def label_all(folder: Path, progress: Report | None = None) -> Labeled:
    """One shard of all buckets, beside the folder of the buckets."""
    n = N_BUCKETS * PER_BUCKET
    texts = pl.DataFrame({"answer_id": [f"i{i:04d}" for i in range(n)], "answer": ["x" * (i % 60) for i in range(n)]})
    with table_writer(folder.with_suffix(".shard"), LABELS) as write:
        return label_buckets(folder, range(N_BUCKETS), N_BUCKETS, texts.iter_slices(500), HashScorer(), write, progress)


def label_and_gather(folder: Path, n: int) -> None:
    """A table of n answers of 2 kB through label and gather."""
    with table_writer(folder / "texts.parquet", TEXTS) as write:
        for start in range(0, n, 1000):
            number = pl.Series("answer_id", range(start, start + 1000)).cast(pl.String)
            write(pl.DataFrame({"answer_id": number, "answer": number + " " + "x" * 2000}))
    texts = iter_texts(folder / "texts.parquet", "answer_id", "answer")
    with table_writer(folder / "shard.parquet", LABELS, {"catalogue": "c"}) as write:
        label_buckets(folder / "c", range(64), 64, texts, ConstantScorer(), write)
    ids = [i for frame in iter_texts(folder / "texts.parquet", "answer_id", None) for i in frame["answer_id"]]
    with table_writer(folder / "labels.parquet", LABELS) as write:
        gather_shards([folder / "shard.parquet"], ids, WIDTH, "c", folder, write)


if __name__ == "__main__":
    if sys.argv[1] == "label":
        label_all(Path(sys.argv[2]), lambda done, total, *_: print(done, flush=True))
    else:
        label_and_gather(Path(sys.argv[2]), int(sys.argv[3]))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
