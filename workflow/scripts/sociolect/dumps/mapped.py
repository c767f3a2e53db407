"""Tables with other column names: parquet, CSV and JSON Lines, of which each row has an answer or a list of them."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sociolect.common.errors import InputError
from sociolect.common.seeds import stable_hash
from sociolect.dumps.packed import dump_lines, unpacked_suffix
from sociolect.dumps.posts import Post, Rule, Unread, whole_number
from sociolect.dumps.reddit import json_objects

__all__ = ["FIELDS", "mapping_of", "read_mapped", "table_files", "table_name"]

# what a column can be mapped to; those of the input table are found by their own names
FIELDS = ("question_id", "question", "body", "answer_id", "answer", "author", "group", "score", "accepted")
REQUIRED = ("question", "answer")
ROWS = 256
_ENDINGS = (".parquet", ".csv", ".jsonl", ".ndjson")
# longest field of a CSV file; Python's own limit is 131072
_FIELD = 16_000_000
_TRUE = ("true", "1", "yes", "y", "t")

# stands for a column that the file does not have
_ABSENT = object()

Row = tuple[int, Mapping[str, Any]]


def table_files(path: Path) -> list[Path]:
    """The files of a table: itself, or all parquet, CSV or JSON Lines files below a folder.

    Raises:
        InputError: there are none.
    """
    if not path.is_dir():
        return [path]
    for ending in _ENDINGS:
        found = sorted(file for file in path.rglob(f"*{ending}*") if unpacked_suffix(file) == ending)
        if found:
            return found
    raise InputError(f"{path}: no file in this folder ends in {', '.join(_ENDINGS)}; give the folder that has them")


def table_name(path: Path) -> str:
    """What a table without a column of groups is called: its folder, or its file without the ending."""
    return path.resolve().name if path.is_dir() else path.name.partition(".")[0]


def read_mapped(path: Path, name: str, columns: Mapping[str, str]) -> Iterator[Post | Unread]:
    """The rows of a file of a table.

    Args:
        path: .parquet, .csv, .jsonl or .ndjson, the latter three packed or not.
        name: group of the rows where no column has it.
        columns: field -> column or key of the file; `outer.inner` where it lies within another.

    Raises:
        InputError: the file cannot be read, or has no such column.
    """
    for item in _rows(path, columns):
        if isinstance(item, Unread):
            yield item
        else:
            yield from _posts(*item, path, name, columns)


def _rows(path: Path, columns: Mapping[str, str]) -> Iterator[Row | Unread]:
    suffix = unpacked_suffix(path)
    if suffix == ".parquet":
        return _parquet_rows(path, columns)
    if suffix == ".csv":
        return _csv_rows(path, columns)
    if suffix in (".jsonl", ".ndjson"):
        return _json_rows(path, columns)
    raise InputError(f"{path}: its ending is not one of {', '.join(_ENDINGS)}; write it as one of them")


def _parquet_rows(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path) as file:
            _refuse_unknown(path, columns, file.schema_arrow.names)
            number = 0
            wanted = list(dict.fromkeys(column.partition(".")[0] for column in columns.values()))
            for batch in file.iter_batches(batch_size=ROWS, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{path}: not a whole parquet file ({why}); take it anew") from error


def _csv_rows(path: Path, columns: Mapping[str, str]) -> Iterator[Row | Unread]:
    csv.field_size_limit(_FIELD)
    bad: list[Unread] = []
    number = 0

    def texts() -> Iterator[str]:
        nonlocal number
        for number, line in dump_lines(path):
            try:
                yield line.decode() + "\n"
            except UnicodeDecodeError as error:
                bad.append(Unread(number, f"byte 0x{line[error.start]:02x} is not UTF-8"))

    reader = csv.reader(texts(), strict=True)
    header: list[str] = []
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            bad.append(Unread(number, str(error)))
            fields = []
        yield from bad
        bad.clear()
        if fields is None:
            return
        if not header and fields:
            header = fields
            _refuse_unknown(path, columns, header)
        elif fields and len(fields) != len(header):
            yield Unread(number, f"{len(fields)} fields, and the header has {len(header)}")
        elif fields:
            yield number, dict(zip(header, fields, strict=True))


def _json_rows(path: Path, columns: Mapping[str, str]) -> Iterator[Row | Unread]:
    seen = False
    for item in json_objects(path):
        if not isinstance(item, Unread) and not seen:
            seen = True
            _refuse_unknown(path, columns, list(item[1]))
        yield item


def _refuse_unknown(path: Path, columns: Mapping[str, str], present: list[str]) -> None:
    """Refuse a column that is not there, unless it is one of the input table's own that may be missing."""
    for field, column in columns.items():
        outer = column.partition(".")[0]
        if column in present or outer in present:
            continue
        if field == column and field not in REQUIRED:
            continue
        near = difflib.get_close_matches(outer, present, n=1, cutoff=0.6)
        hint = f"write {field}={near[0]}" if near else f"write {field}=<column>"
        raise InputError(
            f"{path}: no column {column!r} for {field}; the file has {', '.join(present) or 'none'}; "
            f"{hint} in the mapping (MAP='question=title answer=body')"
        )


def _posts(
    line: int, row: Mapping[str, Any], path: Path, name: str, columns: Mapping[str, str]
) -> Iterator[Post | Unread]:
    """The answers of a row: one, or as many as there are where they are a list."""
    found = {field: _value(row, column) for field, column in columns.items()}
    if not isinstance(found["answer"], list):
        yield _post(line, found, 0, path, name, columns)
        return
    many = len(found["answer"])
    if not many:
        yield Post(line, dropped=Rule.EMPTY)
    for number in range(many):
        # what is a list beside them says something of each
        one = {k: v[number] if isinstance(v, list) and len(v) == many else v for k, v in found.items()}
        yield _post(line, one, number, path, name, columns)


def _post(
    line: int, found: Mapping[str, Any], number: int, path: Path, name: str, columns: Mapping[str, str]
) -> Post | Unread:
    odd = next((field for field, value in found.items() if isinstance(value, list | dict)), None)
    if odd:
        return Unread(line, f"column {columns[odd]!r} holds a list or an object, not a text")
    said = {field: "" if value in (None, _ABSENT) else str(value).strip() for field, value in found.items()}
    if not said["answer"] or not (said["question"] or said.get("body")):
        return Post(line, dropped=Rule.EMPTY)
    # where there is a column of groups, a group that is missing in it is none
    group = name if found["group"] is _ABSENT and columns["group"] == "group" else said["group"]
    question = said["question_id"] or f"{stable_hash(group, said['question'], said.get('body', '')):016x}"
    answer = said["answer_id"] or f"{stable_hash(path, line, number):016x}"
    return Post(
        line,
        question,
        title=said["question"],
        asked=said.get("body", ""),
        answer=answer,
        text=said["answer"],
        group=group,
        source=group.lower(),
        author=said["author"],
        name=said["author"],
        score=whole_number(said["score"]),
        best=answer if said["accepted"].lower() in _TRUE else None,
        dropped="" if group else Rule.OTHER_GROUP,
    )


def _value(row: Mapping[str, Any], column: str) -> Any:
    """A column's value, or what lies within: `answers.text` of an object, or of every object of a list."""
    if column in row:
        return row[column]
    value: Any = row
    for number, key in enumerate(column.split(".")):
        if isinstance(value, list):
            value = [item.get(key) if isinstance(item, Mapping) else None for item in value]
        elif isinstance(value, Mapping):
            value = value.get(key, None if number else _ABSENT)
        else:
            return value
    return value


def mapping_of(words: Iterable[str]) -> dict[str, str]:
    """Field -> column, of `field=column`; the columns of the input table are mapped to themselves.

    Raises:
        InputError: another form, or a field that is none.
    """
    columns = {field: field for field in FIELDS if field != "body"}
    for word in words:
        field, equals, column = word.partition("=")
        if not equals or not column:
            raise InputError(f"mapping {word!r}: write field=column, such as question=title")
        if field not in FIELDS:
            raise InputError(f"mapping {word!r}: there is no field {field!r}; the fields are {', '.join(FIELDS)}")
        columns[field] = column
    return columns
