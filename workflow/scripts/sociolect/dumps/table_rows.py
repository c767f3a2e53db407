"""The rows of a table's file, one at a time: parquet, CSV or JSON Lines, as they stand there."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sociolect.common.errors import InputError
from sociolect.corpus.columns import refuse_twice
from sociolect.corpus.glued_rows import GluedRows, like_a_row, surely_rows
from sociolect.dumps.packed import dump_lines, unpacked_suffix
from sociolect.dumps.posts import Unread
from sociolect.dumps.reddit import json_objects

__all__ = ["ENDINGS", "Row", "outer_column", "table_rows"]

ENDINGS = (".parquet", ".csv", ".jsonl", ".ndjson")
# rows of parquet at a time
ROWS = 256
# objects whose keys say which a file has: null ones are left out of many
FIRST = 1000
# longest field of a CSV file; Python's own limit is 131072
_FIELD = 16_000_000

Row = tuple[int, Mapping[str, Any]]
# told the columns that a file has
Begun = Callable[[list[str]], None]


def table_rows(path: Path, columns: Mapping[str, str], begun: Begun) -> Iterator[Row | Unread]:
    """(number, row) of each row, and what could not be read.

    Args:
        path: its ending says what it is.
        columns: field -> column that is needed.
        begun: called before the first row.

    Raises:
        InputError: the file cannot be read, has a needed column twice, or rows that are glued together.
    """
    suffix = unpacked_suffix(path)
    if suffix == ".parquet":
        return _parquet_rows(path, columns, begun)
    if suffix == ".csv":
        return _csv_rows(path, columns, begun)
    if suffix in ENDINGS:
        return _json_rows(path, begun)
    raise InputError(f"{path}: its ending is not one of {', '.join(ENDINGS)}; write it as one of them")


def outer_column(column: str, present: Collection[str]) -> str:
    """The column of the file that has it: itself, dots and all, or what is before its first dot."""
    return column if column in present else column.partition(".")[0]


def _parquet_rows(path: Path, columns: Mapping[str, str], begun: Begun) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            begun(names)
            number = 0
            needed = list(dict.fromkeys(outer_column(column, names) for column in columns.values()))
            refuse_twice(needed, names, path)
            for batch in file.iter_batches(batch_size=ROWS, columns=needed):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{path}: not a whole parquet file ({why}); take it anew") from error


def _csv_rows(path: Path, columns: Mapping[str, str], begun: Begun) -> Iterator[Row | Unread]:
    csv.field_size_limit(_FIELD)
    lines = _CsvLines(path)
    reader = csv.reader(lines, strict=True)
    header = _header(reader, lines)
    begun(header)
    refuse_twice(columns.values(), header, path)
    group = columns["group"]
    glued, groups = GluedRows(header, group) if group in header else None, set[str]()
    for fields, why in _records(reader, lines):
        if why := why or _odd(fields, lines.record, header, glued):
            yield from _lost(lines, why, len(header))
        elif lines.bad:
            yield Unread(lines.first, lines.over + lines.bad)
        elif fields:
            row = dict(zip(header, fields, strict=True))
            if glued:
                glued.see(lines.first, lines.record)
                groups.add(row[group])
            yield lines.number, row
    if glued:
        glued.refuse(groups, path)


class _CsvLines:
    """The lines of a file for Python's reader of CSV, and those of the record that it has at hand.

    `bad` says of the record's first byte that is not UTF-8.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.number, self.bad = path, 0, ""
        self.record: list[str] = []
        self._lines = dump_lines(path)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            text = line.decode(errors="replace")
            self.bad = self.bad or f"byte 0x{line[error.start]:02x} is not UTF-8"
        self.record.append(text)
        return text + "\n"

    @property
    def first(self) -> int:
        """Number of the record's first line."""
        return self.number - len(self.record) + 1

    @property
    def over(self) -> str:
        """Which lines the record is over, where they are several."""
        return f"lines {self.first} to {self.number}: " if len(self.record) > 1 else ""

    def begin(self) -> None:
        """The next line is the first of a record."""
        self.record, self.bad = [], ""


def _records(reader: Iterator[list[str]], lines: _CsvLines) -> Iterator[tuple[list[str], str]]:
    """The fields of each record, or none and why it is broken."""
    while True:
        lines.begin()
        try:
            fields = next(reader, None)
        except csv.Error as error:
            yield [], str(error)
            continue
        if fields is None:
            return
        yield fields, ""


def _header(reader: Iterator[list[str]], lines: _CsvLines) -> list[str]:
    for fields, why in _records(reader, lines):
        if why := why or lines.bad:
            raise InputError(f"{lines.path}: line {lines.number}: {why}; the first line names the columns, in UTF-8")
        if fields:
            return fields
    return []


def _odd(fields: Sequence[str], record: Sequence[str], header: Sequence[str], glued: GluedRows | None) -> str:
    """Why a record is no row; where there is a column of groups, those of the whole file say what is glued."""
    if fields and len(fields) != len(header):
        return f"{len(fields)} fields, and the header has {len(header)}"
    if glued is None and surely_rows(record, len(header)):
        return "these look like rows of their own, which a quotation mark at the beginning of a field joins into one"
    return ""


def _lost(lines: _CsvLines, why: str, width: int) -> Iterator[Unread]:
    """As many as rows may be lost with a record: its lines that look like rows, at least one."""
    like = [number for number, line in enumerate(lines.record, start=lines.first) if like_a_row(line, width)]
    for number in like or [lines.first]:
        yield Unread(number, lines.over + why)


def _json_rows(path: Path, begun: Begun) -> Iterator[Row | Unread]:
    items = json_objects(path)
    first = list(islice(items, FIRST))
    if keys := dict.fromkeys(key for item in first if not isinstance(item, Unread) for key in item[1]):
        begun(list(keys))
    yield from first
    yield from items
