"""Reading the user's table: parquet, CSV or JSON Lines, with faults named by file, column and row.

Rows are counted from 1 and the header of a CSV file is not a row; lines are lines of the file.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sociolect.common.errors import InputError

IDS = ("question_id", "answer_id", "author", "group")
TEXTS = ("question", "answer")
COLUMNS = ("question_id", "question", "answer_id", "answer", "author", "group")
REQUIRED = tuple(name for name in COLUMNS if name != "author")
EXTENSIONS = (".parquet", ".csv", ".jsonl")
BOM = b"\xef\xbb\xbf"


def read_raw_corpus(path: Path) -> pl.DataFrame:
    """Read a table by its extension and bring its columns into shape.

    Args:
        path: a .parquet, .csv (comma, header) or .jsonl file with the columns question_id, question,
            answer_id, answer, group and, where known, author. Other columns are ignored.

    Returns:
        The six columns as text, in the file's order of rows. Ids are stripped and in Unicode NFC, an empty id or
        author is null; the texts are as they came.

    Raises:
        InputError: the file is missing, empty, cut off, of another format or not UTF-8, or a column is missing
            or of a type that is not text.
    """
    path = Path(path)
    if path.suffix.lower() not in EXTENSIONS:
        raise InputError(
            f"{path}: the extension {path.suffix!r} is not known; give a file that ends in {', '.join(EXTENSIONS)}"
        )
    if path.is_dir():
        raise InputError(f"{path}: this is a folder; give one file that ends in {', '.join(EXTENSIONS)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file; put the table there or change corpus.paths")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty (0 bytes); write it again")
    read = {".parquet": _read_parquet, ".csv": _read_csv, ".jsonl": _read_jsonl}[path.suffix.lower()]
    return _shape(read(path), path)


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        present = pq.read_schema(path).names
        return pl.read_parquet(path, columns=_wanted(present, path), hive_partitioning=False)
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


def _read_csv(path: Path) -> pl.DataFrame:
    _check_utf8(path)
    present = _check_csv_shape(path)
    # polars has renamed repeated names, so reading by name is safe once they are refused
    columns = _wanted(present, path)
    try:
        frame = pl.read_csv(path, columns=columns, infer_schema=False, empty_string_is_null=False)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path}: not a table of comma-separated values ({_line(error)})") from error
    # a blank line is a row of empty fields to polars
    return frame.filter(pl.any_horizontal(pl.all() != ""))


def _check_csv_shape(path: Path) -> list[str]:
    """The header, once every row has as many fields as it; the fast reader would fill short rows in silence."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header: list[str] = next(reader, [])
            for row, fields in enumerate(reader, start=1):
                if fields and len(fields) != len(header):
                    raise InputError(
                        f"{path}: row {row} (it ends in line {reader.line_num}) has {len(fields)} fields, the header "
                        f"has {len(header)}; the file is cut off, or a text with commas is not in double quotes"
                    )
    except csv.Error as error:
        raise InputError(
            f"{path}: line {reader.line_num}: {error}; the file is cut off, or double quotes inside a text "
            'are not doubled ("")'
        ) from error
    finally:
        csv.field_size_limit(limit)
    return header


def _read_jsonl(path: Path) -> pl.DataFrame:
    _check_utf8(path)
    data = path.read_bytes().removeprefix(BOM)
    try:
        frame = pl.read_ndjson(io.BytesIO(data), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        _explain_jsonl(path, data)
        raise InputError(f"{path}: not JSON Lines ({_line(error)}); give one JSON object a line") from error
    return frame.select(_wanted(frame.columns, path))


def _explain_jsonl(path: Path, data: bytes) -> None:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{path}: line {number} is not JSON ({error.msg} at character {error.pos}); the file is cut off, "
                "or it does not hold one JSON object a line"
            ) from error
        if not isinstance(value, dict):
            raise InputError(f"{path}: line {number} is not a JSON object; give one object a line")


def _check_utf8(path: Path) -> None:
    with path.open("rb") as stream:
        if stream.read(4) == b"PAR1":
            raise InputError(f"{path}: this is a parquet file; rename it to {path.stem}.parquet")
        stream.seek(0)
        for number, line in enumerate(stream, start=1):
            _decode(line, f"{path}: line {number}")


def _decode(value: bytes, where: str) -> None:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = value[error.start : error.start + 1].hex()
        raise InputError(
            f"{where}: byte 0x{bad} at position {error.start} is not UTF-8; save the table as UTF-8"
        ) from error


def _wanted(present: list[str], path: Path) -> list[str]:
    """The columns to read, of those present; the message names near misses of a required one that is not."""
    for name in COLUMNS:
        if present.count(name) > 1:
            raise InputError(f"{path}: the column {name!r} is there twice; keep one of them")
    missing = [name for name in REQUIRED if name not in present]
    if missing:
        near = dict(_near_misses(missing, present))
        hints = [f"{found!r} looks like {name!r}: rename it" for name, found in near.items()]
        if len(present) == 1 and any(mark in present[0] for mark in ";\t|"):
            hints.append("the header is one field: separate the fields by commas")
        raise InputError(
            f"{path}: missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"the file has {', '.join(present) or 'none'}"
            + "".join(f"; {hint}" for hint in hints or ["add or rename columns (author may be missing)"])
        )
    return [name for name in COLUMNS if name in present]


def _near_misses(missing: list[str], present: list[str]) -> Iterator[tuple[str, str]]:
    plain = {_plain(name): name for name in present if name not in COLUMNS}
    for name in missing:
        close = difflib.get_close_matches(_plain(name), list(plain), n=1, cutoff=0.75)
        if close:
            yield name, plain.pop(close[0])


def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


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
        odd = (series.is_not_null() & ((whole != series) | whole.is_null())).fill_null(True)
        if odd.any():
            row = int(odd.arg_max() or 0)
            raise InputError(
                f"{path}: row {row + 1}, column {series.name!r}: {series[row]} is no id; "
                "write ids as text or whole numbers"
            )
        return whole.cast(pl.String)
    if dtype.is_integer() or dtype in (pl.Null, pl.Categorical, pl.Enum):
        return series.cast(pl.String)
    return _plain_text(series, path)


def _plain_text(series: pl.Series, path: Path) -> pl.Series:
    if series.dtype == pl.Binary:
        for row, value in enumerate(series, start=1):
            _decode(value or b"", f"{path}: row {row}, column {series.name!r}")
    elif series.dtype not in (pl.String, pl.Null, pl.Categorical, pl.Enum):
        raise InputError(f"{path}: the column {series.name!r} is {series.dtype}; write it as text")
    return series.cast(pl.String)


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
