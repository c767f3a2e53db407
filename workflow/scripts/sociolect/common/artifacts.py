"""Tables on disk: declared schema, atomic writing, provenance in the file.

A table is written under a temporary name, synced and renamed, so that a killed program never leaves a
half-written file that looks whole. Reading checks the schema and names the file and the column that is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sociolect.common.errors import InputError
from sociolect.common.files import atomic_path

PROVENANCE_KEY = b"sociolect"
LATE_KEY = b"sociolect_late"  # what a streamed table's writer knew only at the end
ROW_GROUP = 65536  # rows


@dataclass(frozen=True)
class Vector:
    """A fixed-size list of float32, one width within a file."""

    width: int | None = None


@dataclass(frozen=True)
class Column:
    """One column: type, meaning, unit; nulls and NaN are refused unless allowed."""

    dtype: Any
    meaning: str
    unit: str = ""
    nullable: bool = False
    nan: bool = False


@dataclass(frozen=True)
class Schema:
    """A declared table: columns in order, and the columns that identify a row."""

    name: str
    columns: dict[str, Column]
    key: tuple[str, ...] = ()

    def types(self) -> dict[str, Any]:
        """Column -> polars type (vectors of width 1 where the width is free)."""
        return {name: _polars_type(column.dtype) for name, column in self.columns.items()}

    def frame(self, rows: Sequence[Mapping[str, Any] | Sequence[Any]]) -> pl.DataFrame:
        """A frame of these rows, each a mapping by column, or values in the order of the columns.

        Raises:
            TypeError: a column holds vectors, which are made as a column (`vectors`), not row by row.
        """
        if rows and any(isinstance(column.dtype, Vector) for column in self.columns.values()):
            raise TypeError(f"a {self.name} table has vectors: make it by columns")
        return pl.DataFrame(rows, schema=self.types(), orient="row")

    def empty(self) -> pl.DataFrame:
        """A frame of this schema without rows."""
        return self.frame([])


def _polars_type(dtype: Any) -> Any:
    return pl.Array(pl.Float32, dtype.width or 1) if isinstance(dtype, Vector) else dtype


def check_table(frame: pl.DataFrame, schema: Schema, where: str) -> pl.DataFrame:
    """The frame with the schema's columns in the schema's order.

    Raises:
        InputError: a column is missing, has another type, holds a null or a NaN that the schema refuses,
            or the key repeats. The message names `where`, the column and a row.
    """
    missing = [name for name in schema.columns if name not in frame.columns]
    if missing:
        raise InputError(
            f"{where}: column {missing[0]!r} is missing; a {schema.name} table has the columns "
            f"{', '.join(schema.columns)}, this one has {', '.join(frame.columns)}"
        )
    frame = frame.select(list(schema.columns))
    for name, column in schema.columns.items():
        _check_column(frame[name], column, f"{where}: column {name!r}")
    if schema.key and frame.height:
        repeated = frame.filter(frame.select(schema.key).is_duplicated())
        if repeated.height:
            row = ", ".join(f"{k}={repeated[k][0]!r}" for k in schema.key)
            raise InputError(f"{where}: {repeated.height} rows share a key, such as {row}")
    return frame


def _check_column(series: pl.Series, column: Column, where: str) -> None:
    dtype = column.dtype
    if isinstance(dtype, Vector):
        actual = series.dtype
        if not isinstance(actual, pl.Array) or actual.inner != pl.Float32:
            raise InputError(f"{where} is {actual}, expected a fixed-size list of float32")
        if dtype.width is not None and actual.shape != (dtype.width,):
            raise InputError(f"{where} has width {actual.shape}, expected {dtype.width}")
    elif series.dtype != dtype:
        raise InputError(f"{where} is {series.dtype}, expected {dtype}")
    if not column.nullable and series.null_count():
        row = int(series.is_null().arg_max() or 0)
        raise InputError(f"{where} has {series.null_count()} nulls, the first in row {row}")
    if column.nan:
        return
    if isinstance(dtype, Vector) and len(series):
        bad = ~np.isfinite(series.drop_nulls().to_numpy()).all(axis=1)
        if bad.any():
            raise InputError(
                f"{where} has {int(bad.sum())} rows that are not finite, the first is row {int(bad.argmax())}"
            )
    elif series.dtype.is_float() and (~series.is_finite()).any():
        row = int((~series.is_finite()).arg_max() or 0)
        raise InputError(f"{where} holds a value that is not finite in row {row}")


def write_table(frame: pl.DataFrame, path: Path, schema: Schema, provenance: dict[str, Any] | None = None) -> None:
    """Check, then write atomically as parquet, with the provenance as metadata of the file.

    Raises:
        InputError: the frame does not fit the schema.
    """
    table = check_table(frame, schema, str(path)).to_arrow()
    meta = dict(table.schema.metadata or {})
    meta[PROVENANCE_KEY] = _provenance(schema, provenance)
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(meta), temporary, compression="zstd", row_group_size=ROW_GROUP)


def _provenance(schema: Schema, provenance: dict[str, Any] | None) -> bytes:
    return json.dumps({"schema": schema.name, **(provenance or {})}, sort_keys=True).encode()


@contextmanager
def table_writer(
    path: Path, schema: Schema, provenance: dict[str, Any] | None = None, late: dict[str, Any] | None = None
) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Write a table that is never whole in memory: a function that takes one frame after the other.

    Each frame becomes row groups of the file, which appears, atomically, when the block ends well. The key is checked
    within each frame only.

    Args:
        path: of the file.
        schema: of each frame.
        provenance: what is known at the start.
        late: what is known at the end, such as counts; may be filled until then.

    Raises:
        InputError: a frame does not fit the schema, or has vectors of another width than the one before.
    """
    with atomic_path(path) as temporary:
        writer: pq.ParquetWriter | None = None

        def write(frame: pl.DataFrame) -> None:
            nonlocal writer
            table = check_table(frame, schema, str(path)).to_arrow()
            if writer is None:
                meta = {**(table.schema.metadata or {}), PROVENANCE_KEY: _provenance(schema, provenance)}
                writer = pq.ParquetWriter(temporary, table.schema.with_metadata(meta), compression="zstd")
            if not table.schema.equals(writer.schema):
                raise InputError(f"{path}: rows of another type or width than before: {table.schema}")
            if table.num_rows:
                writer.write_table(table, row_group_size=ROW_GROUP)

        try:
            yield write
            if writer is None:
                write(schema.empty())
            assert writer is not None
            if late:
                writer.add_key_value_metadata({LATE_KEY: json.dumps(late, sort_keys=True).encode()})
        finally:
            if writer is not None:
                writer.close()


def read_table(path: Path, schema: Schema) -> pl.DataFrame:
    """Read the schema's columns of a parquet table and check them.

    Raises:
        InputError: there is no such file, it is truncated or not parquet, or it does not fit the schema.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with _whole_parquet(path):
        names = list(pl.read_parquet_schema(path))
        present = [name for name in schema.columns if name in names]
        # where one is missing all are read, so that the message can say which there are
        columns = present if len(present) == len(schema.columns) else None
        frame = pl.read_parquet(path, columns=columns, hive_partitioning=False)
    return check_table(frame, schema, str(path))


def iter_table(path: Path, schema: Schema, rows: int | None = None) -> Iterator[pl.DataFrame]:
    """The same frame by frame: row groups, or pieces of at most `rows` rows, never the whole table.

    Raises:
        InputError: as `read_table`, at the frame that does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with _whole_parquet(path), pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        if set(schema.columns) <= set(names):
            names = list(schema.columns)
        else:
            check_table(cast(pl.DataFrame, pl.from_arrow(file.schema_arrow.empty_table())), schema, str(path))
        for batch in file.iter_batches(batch_size=rows or ROW_GROUP, columns=names):
            yield check_table(cast(pl.DataFrame, pl.from_arrow(batch)), schema, str(path))


@contextmanager
def _whole_parquet(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a whole parquet file ({error}); delete it and run again") from error


def read_provenance(path: Path) -> dict[str, Any]:
    """What was written beside the table: settings, source digest, seed, versions, input digests.

    Raises:
        InputError: the file is not a whole parquet file.
    """
    with _whole_parquet(path):
        meta = pq.read_metadata(path).metadata or {}
    return {**json.loads(meta.get(PROVENANCE_KEY, b"{}")), **json.loads(meta.get(LATE_KEY, b"{}"))}


def vectors(values: np.ndarray, name: str) -> pl.Series:
    """A matrix [n, width] as a column of fixed-size float32 lists."""
    values = np.ascontiguousarray(values, dtype=np.float32)
    return pl.Series(name, values, dtype=pl.Array(pl.Float32, values.shape[1]))


def matrix(series: pl.Series) -> np.ndarray:
    """A column of fixed-size lists as a float64 matrix [n, width]."""
    width = series.dtype.shape[0] if isinstance(series.dtype, pl.Array) else 0
    return series.to_numpy().reshape(len(series), width).astype(np.float64)
