"""Reading the user's table: parquet, CSV or JSON Lines, with faults named by file, column and row.

Rows are counted from 1 and the header of a CSV file is not a row; lines are lines of the file.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sociolect.common.errors import InputError
from sociolect.corpus.columns import COLUMNS, IDS, TEXTS, wanted
from sociolect.corpus.csv_table import read_csv
from sociolect.corpus.file_kinds import ENDINGS, byte_lines, kind_of, refuse_foreign
from sociolect.corpus.json_lines import read_jsonl


def read_raw_corpus(path: Path, most: int | None = None) -> pl.DataFrame:
    """Read a table by its extension and bring its columns into shape.

    Args:
        path: a .parquet, .csv (comma, header) or .jsonl file, the latter two packed with gzip or not, with the columns
            question_id, question, answer_id, answer, group and, where known, author. Other columns are ignored.
        most: rows, from the first; None reads all.

    Returns:
        The six columns as text, in the file's order of rows. Ids are stripped and in Unicode NFC, an empty id or
        author is null; the texts are as they came.

    Raises:
        InputError: the file is missing, empty, cut off, of another format or not UTF-8, or a column is missing
            or of a type that is not text.
    """
    path = Path(path)
    kind = kind_of(path)
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; give one file that ends in {ENDINGS}")
    if not path.is_file():
        raise InputError(f"{path}: no such file; put the table there or change corpus.paths")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); write it again")
    refuse_foreign(path)
    if kind == ".parquet":
        return _shape(_read_parquet(path, most), path)
    _check_utf8(path, most)
    return _shape(read_csv(path, most) if kind == ".csv" else read_jsonl(path, most), path)


def _read_parquet(path: Path, most: int | None) -> pl.DataFrame:
    try:
        schema = pq.read_schema(path)
        columns = wanted(schema.names, path)
        for name in columns:
            kind = schema.field(name).type
            if isinstance(kind, pa.BaseExtensionType) or pa.types.is_fixed_size_binary(kind):
                raise InputError(f"{path}: the column {name!r} is {kind}; cast it to text")
        return pl.read_parquet(path, columns=columns, n_rows=most, hive_partitioning=False)
    except (pl.exceptions.PolarsError, pa.ArrowException, OSError) as error:
        _explain_parquet(path)
        raise InputError(f"{path}: not a whole parquet file ({_line(error)}); write it again") from error


def _explain_parquet(path: Path) -> None:
    """Raise the exact place of a text that is not UTF-8; return where that is not what is wrong."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError):
        return
    for name in table.column_names:
        if not (pa.types.is_string(table[name].type) or pa.types.is_large_string(table[name].type)):
            continue
        for row, value in enumerate(table[name].cast(pa.large_binary()).to_pylist(), start=1):
            _decode(value or b"", f"{path}: row {row}, column {name!r}")


def _check_utf8(path: Path, most: int | None) -> None:
    for number, line in enumerate(islice(byte_lines(path), most), start=1):
        _decode(line, f"{path}: line {number}")


def _decode(value: bytes, where: str) -> None:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = value[error.start : error.start + 1].hex()
        raise InputError(
            f"{where}: byte 0x{bad} at position {error.start} is not UTF-8; save the table as UTF-8"
        ) from error


def _shape(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    if frame.is_empty():
        raise InputError(f"{path}: the table has no rows; write it again")
    if "author" not in frame.columns:
        frame = frame.with_columns(author=pl.lit(None, pl.String))
    ids = [_id_text(frame[name], path).str.normalize("NFC").str.strip_chars() for name in IDS]
    texts = [_plain_text(frame[name], path) for name in TEXTS]
    shaped = pl.DataFrame([*ids, *texts]).select(COLUMNS)
    return shaped.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in IDS)


def _id_text(series: pl.Series, path: Path) -> pl.Series:
    dtype = series.dtype
    if dtype.is_float():
        # whole numbers become floats in tables that other tools wrote with a missing value in the column
        whole = series.cast(pl.Int64, strict=False)
        # beyond 2^53 floats are not what was written
        _refuse_ids(series, (whole != series) | whole.is_null() | (series.abs() >= 2**53), path)
        return whole.cast(pl.String)
    if dtype.is_decimal():
        digits = series.cast(pl.String).str.replace(r"\.0*$", "")
        _refuse_ids(series, digits.str.contains(".", literal=True), path)
        return digits
    if dtype.is_integer() or dtype in (pl.Null, pl.Categorical, pl.Enum):
        return series.cast(pl.String)
    return _plain_text(series, path)


def _refuse_ids(series: pl.Series, odd: pl.Series, path: Path) -> None:
    odd = (series.is_not_null() & odd).fill_null(True)
    if odd.any():
        row = int(odd.arg_max() or 0)
        raise InputError(
            f"{path}: row {row + 1}, column {series.name!r}: {series[row]} is no id; write ids as text or whole numbers"
        )


def _plain_text(series: pl.Series, path: Path) -> pl.Series:
    if series.dtype == pl.Binary:
        for row, value in enumerate(series, start=1):
            _decode(value or b"", f"{path}: row {row}, column {series.name!r}")
    elif series.dtype not in (pl.String, pl.Null, pl.Categorical, pl.Enum):
        raise InputError(f"{path}: the column {series.name!r} is {series.dtype}; write it as text")
    return series.cast(pl.String)


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
