"""Style vectors of many answers: resumable buckets on disk, grouped into any number of shards.

An answer belongs to a bucket by a stable hash of its id; shards only group buckets, so that changing their number
relabels nothing. Tables are streamed: what is in memory at once is one bucket, however long the table.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from sociolect.common.artifacts import Column, Schema, iter_table, matrix, read_provenance, table_writer, vectors
from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.common.pieces import PieceStore, bucket_of
from sociolect.common.progress import Report, within
from sociolect.common.schemas import LABELS, TAGGED
from sociolect.syntax.lookup import rows_of

ROWS = 2048  # rows that are read, merged and written together
TEXTS = Schema("texts", {"answer_id": Column(pl.String, "answer"), "answer": Column(pl.String, "its text")})
Write = Callable[[pl.DataFrame], None]


@dataclass(frozen=True)
class Scored:
    """Scores [n, K] in [0, 1], how many answers were cut, and how many were empty."""

    scores: np.ndarray
    n_truncated: int
    n_empty: int


class Scorer(Protocol):
    """What labels texts, with a digest of all that decides its scores."""

    @property
    def key(self) -> str:
        """Digest of weights, attributes and settings."""
        ...

    def score(self, texts: Sequence[str], progress: Report | None = None, tagged: pl.DataFrame | None = None) -> Scored:
        """Style vectors of the texts, in the order of the catalogue; `tagged` has their rows of schema TAGGED."""
        ...


@dataclass
class Labeled:
    """What a shard came to: buckets scored now, and answers that are in it, were cut, or were empty."""

    n_scored: int = 0
    n_answers: int = 0
    n_truncated: int = 0
    n_empty: int = 0
    buckets: list[int] = field(default_factory=list)


def iter_texts(path: Path, id_column: str, text_column: str | None) -> Iterator[pl.DataFrame]:
    """Ids and texts of a table of answers or generations, as answer_id and answer, in the table's order.

    Args:
        path: parquet file.
        id_column: column that becomes answer_id.
        text_column: column that becomes answer; None reads the ids alone.

    Raises:
        InputError: the file or a column is missing, or an id repeats.
    """
    columns = {id_column: "answer_id"} | ({text_column: "answer"} if text_column else {})
    schema = Schema("texts", {name: Column(pl.String, name) for name in columns})
    seen: set[str] = set()
    for frame in iter_table(path, schema, ROWS):
        frame = frame.rename(columns)
        before = len(seen)
        seen.update(frame["answer_id"])
        if len(seen) != before + frame.height:
            raise InputError(f"{path}: an id of column {id_column!r} is there twice; ids must be unique")
        yield frame


def label_buckets(
    cache: Path,
    buckets: Sequence[int],
    n_buckets: int,
    answers: Iterator[pl.DataFrame],
    scorer: Scorer,
    write: Write,
    progress: Report | None = None,
    tagged: Iterator[pl.DataFrame] | None = None,
) -> Labeled:
    """Label some of the buckets; those whose file was made by the same scorer of the same texts are taken as they are.

    What is scored together is one bucket, sorted by id: a resumed run gives the same bytes as an unbroken one.

    Args:
        cache: folder of the bucket files.
        buckets: numbers of the buckets to do.
        n_buckets: number of all buckets.
        answers: answer_id and answer of the whole table, piece by piece, in any order.
        scorer: what labels.
        write: takes the buckets' tables, one after the other.
        progress: called with answers done and total.
        tagged: rows of schema TAGGED of the whole table, in any order, for a scorer that measures syntax.

    Raises:
        InputError: a score is not a number in [0, 1] (the message names answer and attribute), or an answer is not
            tagged.
    """
    store = PieceStore(cache, scorer.key, LABELS)
    result = Labeled()
    with _scratch_folder(cache / f".texts-{digest_of(sorted(buckets))}") as folder:
        sizes = _split(answers, TEXTS, folder, set(buckets), n_buckets)
        if tagged is not None:
            _split(tagged, TAGGED, folder, set(buckets), n_buckets)
        total, kept = sum(sizes.values()), 0
        for bucket in buckets:
            if bucket not in sizes:
                continue
            texts = _whole(folder, bucket, TEXTS).sort("answer_id")
            rows = None if tagged is None else rows_of(texts, _whole(folder, bucket, TAGGED))
            seen = texts if rows is None else pl.concat([texts, rows.drop("answer_id")], how="horizontal")
            part = digest_of([column.to_list() for column in seen])
            frame = store.get(bucket, part)
            kept += 0 if frame is None else texts.height
            if frame is None:
                report = within(progress, result.n_answers, texts.height, total, kept)
                scored = scorer.score(texts["answer"].to_list(), report, rows)
                check_scores(scored.scores, texts["answer_id"].to_list())
                frame = pl.DataFrame({"answer_id": texts["answer_id"], "style": vectors(scored.scores, "style")})
                store.put(bucket, frame, part, n_truncated=scored.n_truncated, n_empty=scored.n_empty)
                result.n_scored += 1
            counts = read_provenance(store.path(bucket))
            result.n_truncated += int(counts["n_truncated"])
            result.n_empty += int(counts["n_empty"])
            result.n_answers += frame.height
            result.buckets.append(bucket)
            write(frame)
            if progress is not None:
                progress(result.n_answers, total, "", kept)
    return result


@contextmanager
def _scratch_folder(folder: Path) -> Iterator[Path]:
    """An empty folder for as long as the block runs; what a killed run left in it is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _split(
    answers: Iterator[pl.DataFrame], schema: Schema, folder: Path, wanted: set[int], n_buckets: int
) -> dict[int, int]:
    """Put the rows of each wanted bucket into a file of its own; number of answers by bucket."""
    sizes: dict[int, int] = {}
    with ExitStack() as stack:
        writers: dict[int, Write] = {}
        for frame in answers:
            of = pl.Series("bucket", [bucket_of(n_buckets, i) for i in frame["answer_id"]], dtype=pl.Int64)
            frame = frame.select(*schema.columns).with_columns(of).filter(pl.col("bucket").is_in(wanted))
            for texts in frame.partition_by("bucket", maintain_order=True):
                number = int(texts["bucket"][0])
                if number not in writers:
                    writers[number] = stack.enter_context(table_writer(_file(folder, number, schema), schema))
                writers[number](texts)
                sizes[number] = sizes.get(number, 0) + texts.height
    return sizes


def _file(folder: Path, bucket: int, schema: Schema) -> Path:
    return folder / f"{bucket:05d}.{schema.name.replace(' ', '-')}"


def _whole(folder: Path, bucket: int, schema: Schema) -> pl.DataFrame:
    """The rows of a bucket; none where it has no file."""
    path = _file(folder, bucket, schema)
    return pl.concat(iter_table(path, schema)) if path.is_file() else schema.frame([])


def check_scores(scores: np.ndarray, answer_ids: Sequence[str]) -> None:
    """Refuse scores that are no probabilities.

    Raises:
        InputError: naming the first answer and the attribute's column.
    """
    bad = ~((scores >= 0) & (scores <= 1))
    if bad.any():
        row, column = (int(v) for v in np.argwhere(bad)[0])
        raise InputError(
            f"answer {answer_ids[row]!r}, attribute column {column}: the score is {scores[row, column]}, "
            "not a probability; the model's weights are damaged or overflow (train it again, or use fp32)"
        )


def gather_shards(
    paths: Sequence[Path], answer_ids: Sequence[str], n_attributes: int, catalogue: str, folder: Path, write: Write
) -> None:
    """Put shards together, sorted by answer, and check that every answer has all scores exactly once.

    The vectors go through a file on disk, in the order of the answers: only ids are ever all in memory.

    Args:
        paths: shard files of schema LABELS.
        answer_ids: ids of all answers.
        n_attributes: K.
        catalogue: digest of the catalogue that the shards must have been made with.
        folder: where that file may lie; it is as large as the vectors, and has no name.
        write: takes the sorted rows, of schema LABELS, piece by piece.

    Raises:
        InputError: a shard is missing, broken or was made with another catalogue, or an answer is missing, unknown
            or there twice. The message names file and answer.
    """
    ids = sorted(answer_ids)
    row_bytes = 4 * n_attributes
    with tempfile.TemporaryFile(dir=folder) as rows:
        places = _Places(ids)
        for path in paths:
            for found, style in _whole_shard(Path(path), n_attributes, catalogue):
                check_scores(style, found)
                for answer_id, vector in zip(found, style, strict=True):
                    rows.seek(places.take(answer_id, Path(path)) * row_bytes)
                    rows.write(vector.tobytes())
        places.check_all_taken()
        rows.seek(0)
        for start in range(0, len(ids), ROWS):
            part = ids[start : start + ROWS]
            style = np.frombuffer(rows.read(len(part) * row_bytes), dtype=np.float32).reshape(len(part), n_attributes)
            write(pl.DataFrame({"answer_id": part, "style": vectors(style, "style")}))


def _whole_shard(path: Path, n_attributes: int, catalogue: str) -> Iterator[tuple[list[str], np.ndarray]]:
    """Ids and style vectors [n, K] of a shard, piece by piece, if it was made with this catalogue."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; label this shard again")
    if read_provenance(path).get("catalogue") != catalogue:
        raise InputError(f"{path}: made with another catalogue; delete it and run again")
    for frame in iter_table(path, LABELS, ROWS):
        style = matrix(frame["style"]).astype(np.float32)
        if style.shape[1] != n_attributes:
            raise InputError(
                f"{path}: {style.shape[1]} scores per answer, the catalogue has {n_attributes} attributes; "
                "delete it and run again"
            )
        yield frame["answer_id"].to_list(), style


class _Places:
    """The place of each answer among all, given out once."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = ids
        self._rank = {answer_id: i for i, answer_id in enumerate(ids)}
        # by number: only ids are ever all in memory
        self._file_of = np.full(len(ids), -1, dtype=np.int64)
        self._files: list[Path] = []

    def take(self, answer_id: str, path: Path) -> int:
        place = self._rank.get(answer_id)
        if place is None:
            raise InputError(
                f"{path}: answer {answer_id!r} is not in the table that was labeled; delete the file and run again"
            )
        if self._file_of[place] >= 0:
            other = self._files[self._file_of[place]]
            raise InputError(f"answer {answer_id!r} is there twice, in {other} and {path}; delete both and run again")
        if self._files[-1:] != [path]:
            self._files.append(path)
        self._file_of[place] = len(self._files) - 1
        return place

    def check_all_taken(self) -> None:
        missing = np.flatnonzero(self._file_of < 0)
        if len(missing):
            raise InputError(
                f"answer {self._ids[missing[0]]!r} is in no shard ({len(missing)} missing in all); "
                "label the shards again"
            )
