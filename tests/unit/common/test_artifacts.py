"""Tables on disk: what is refused, what a file carries, what a failure leaves behind."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from sociolect.common.artifacts import (
    PROVENANCE_KEY,
    iter_table,
    matrix,
    read_provenance,
    read_table,
    table_writer,
    vectors,
    write_table,
)
from sociolect.common.errors import InputError
from sociolect.common.schemas import LABELS


def labels(values: list[list[float]], ids: list[str] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame({"answer_id": ids or [f"a{i}" for i in range(len(values))]})
    return frame.with_columns(vectors(np.array(values), "style"))


def test_round_trip_keeps_values_and_provenance(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "labels.parquet"
    write_table(labels([[0.25, 1.0], [0.5, 0.0]]), path, LABELS, {"seed": 3})
    assert matrix(read_table(path, LABELS)["style"]).tolist() == [[0.25, 1.0], [0.5, 0.0]]
    assert read_provenance(path) == {"schema": "labels", "seed": 3}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            labels([[0.1, float("nan")]]),
            r"labels.parquet: column 'style' has 1 rows that are not finite, the first is row 0",
        ),
        (labels([[0.1], [0.2]], ["x", "x"]), r"share a key, such as answer_id='x'"),
        (labels([[0.1]]).rename({"answer_id": "id"}), r"column 'answer_id' is missing; .* this one has id, style"),
        (labels([[0.1]]).with_columns(pl.col("style").arr.to_list()), r"column 'style' is List"),
        (labels([[0.1]]).with_columns(answer_id=pl.lit(None, pl.String)), r"column 'answer_id' has 1 nulls"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_and_not_written(
    tmp_path: Path, frame: pl.DataFrame, message: str
) -> None:
    path = tmp_path / "labels.parquet"
    with pytest.raises(InputError, match=message):
        write_table(frame, path, LABELS)
    assert list(tmp_path.iterdir()) == []


def test_a_streamed_table_is_the_same_as_one_written_whole(tmp_path: Path) -> None:
    whole = labels([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], ["a", "b", "c"])
    late: dict[str, object] = {}
    with table_writer(tmp_path / "s.parquet", LABELS, {"seed": 1}, late) as write:
        write(whole[:2])
        write(whole[2:2])
        write(whole[2:])
        late["n_empty"] = 2
        assert not (tmp_path / "s.parquet").exists()
    assert read_table(tmp_path / "s.parquet", LABELS).equals(whole)
    assert [f.height for f in iter_table(tmp_path / "s.parquet", LABELS, 2)] == [2, 1]
    assert read_provenance(tmp_path / "s.parquet") == {"schema": "labels", "seed": 1, "n_empty": 2}
    assert PROVENANCE_KEY in pq.read_schema(tmp_path / "s.parquet").metadata
    with table_writer(tmp_path / "none.parquet", LABELS):
        pass
    assert read_table(tmp_path / "none.parquet", LABELS).is_empty()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (labels([[0.1, 0.2, 0.3]], ["c"]), "another type or width"),
        (labels([[0.1, float("nan")]], ["c"]), "not finite"),
        (labels([[0.1, 0.2], [0.1, 0.2]], ["c", "c"]), "share a key"),
    ],
)
def test_a_streamed_table_that_does_not_fit_leaves_the_old_file(
    tmp_path: Path, rows: pl.DataFrame, message: str
) -> None:
    path = tmp_path / "s.parquet"
    write_table(labels([[0.5, 0.5]], ["old"]), path, LABELS)
    with pytest.raises(InputError, match=message), table_writer(path, LABELS) as write:
        write(labels([[0.1, 0.2]], ["a"]))
        write(rows)
    assert read_table(path, LABELS)["answer_id"].to_list() == ["old"] and len(list(tmp_path.iterdir())) == 1


def test_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    write_table(labels([[0.25, 1.0]] * 100), path, LABELS)
    os.truncate(path, path.stat().st_size // 2)
    for read in (lambda: read_table(path, LABELS), lambda: read_provenance(path)):
        with pytest.raises(InputError, match=r"labels.parquet: not a whole parquet file .*delete it and run again"):
            read()


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "labels.parquet"
    write_table(labels([[0.5]]), path, LABELS)
    before = path.read_bytes()

    def full(table: object, where: Path, **_: object) -> None:
        Path(where).write_bytes(b"PAR1 half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sociolect.common.artifacts.pq.write_table", full)
    with pytest.raises(OSError, match="No space left"):
        write_table(labels([[0.7]]), path, LABELS)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
