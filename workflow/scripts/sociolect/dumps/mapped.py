"""Tables with other column names, of which each row has an answer or a list of them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sociolect.common.errors import InputError
from sociolect.common.seeds import stable_hash
from sociolect.corpus.cleaning import INVISIBLE
from sociolect.corpus.columns import IDS
from sociolect.dumps.packed import unpacked_suffix
from sociolect.dumps.posts import Post, Rule, Unread, whole_number
from sociolect.dumps.table_rows import ENDINGS, outer_column, table_rows
from sociolect.settings.corpus import CorpusSettings

__all__ = ["FIELDS", "mapping_of", "read_mapped", "table_files", "table_name"]

# what a column can be mapped to; those of the input table are found by their own names
FIELDS = ("question_id", "question", "body", "answer_id", "answer", "author", "group", "score", "accepted")
REQUIRED = ("question", "answer")
_TRUE = ("true", "1", "yes", "y", "t")
# what stands for an unknown author, as in a run where its config does not say otherwise
_NOBODY = {value.lower() for value in CorpusSettings.model_fields["missing_values"].default}
# what a run takes out of ids, which a hash would keep: controls, soft hyphens, marks of width and direction
_INVISIBLE = re.compile(rf"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f{INVISIBLE}]")

# stands for a column that the file does not have
_ABSENT = object()


def table_files(path: Path) -> list[Path]:
    """The files of a table: itself, or all parquet, CSV or JSON Lines files below a folder.

    Raises:
        InputError: there are none.
    """
    if not path.is_dir():
        return [path]
    for ending in ENDINGS:
        found = sorted(file for file in path.rglob(f"*{ending}*") if unpacked_suffix(file) == ending)
        if found:
            return found
    raise InputError(f"{path}: no file in this folder ends in {', '.join(ENDINGS)}; give the folder that has them")


def table_name(path: Path) -> str:
    """What a table without a column of groups is called: its folder, or its file without the ending."""
    return path.resolve().name if path.is_dir() else path.name.partition(".")[0]


def read_mapped(path: Path, name: str, columns: Mapping[str, str], table: str = "") -> Iterator[Post | Unread]:
    """The rows of a file of a table.

    Args:
        path: .parquet, .csv, .jsonl or .ndjson, the latter three packed or not.
        name: group of the rows where no column has it.
        columns: field -> column or key of the file; `outer.inner` where it lies within another.
        table: see `Post`.

    Raises:
        InputError: the file cannot be read, or has no such column.
    """
    grouped = False

    def begun(present: list[str]) -> None:
        nonlocal grouped
        _refuse_unknown(path, columns, present)
        grouped = outer_column(columns["group"], present) in present

    for item in table_rows(path, columns, begun):
        if isinstance(item, Unread):
            yield item
            continue
        line, row = item
        found = {field: _value(row, column) for field, column in columns.items()}
        if not grouped:
            _refuse_late(path, line, columns["group"], found["group"])
            found["group"] = name
        yield from _posts(line, found, path, columns, table)


def _refuse_unknown(path: Path, columns: Mapping[str, str], present: list[str]) -> None:
    """Refuse a column that is not there, unless it is one of the input table's own that may be missing."""
    for field, column in columns.items():
        outer = outer_column(column, present)
        if outer in present or (field == column and field not in REQUIRED):
            continue
        near = difflib.get_close_matches(outer, present, n=1, cutoff=0.6)
        advice = f"write {field}={near[0]}" if near else f"write {field}=<column>"
        raise InputError(
            f"{path}: no column {column!r} for {field}; the file has {', '.join(present) or 'none'}; "
            f"{advice} in the mapping (MAP='question=title answer=body')"
        )


def _refuse_late(path: Path, line: int, column: str, group: Any) -> None:
    """Refuse a group where the lines before were given the name of the file, as none of the first had one."""
    if group is not _ABSENT:
        raise InputError(
            f"{path}: line {line}: the first one with the key {column!r}; write it in line 1 too (null where there is "
            "no group), or take it out"
        )


def _posts(
    line: int, found: Mapping[str, Any], path: Path, columns: Mapping[str, str], table: str
) -> Iterator[Post | Unread]:
    """The answers of a row: one, or as many as there are where they are a list."""
    if not isinstance(found["answer"], list):
        yield _post(line, found, 0, path, columns, table)
        return
    many = len(found["answer"])
    if not many:
        yield Post(line, dropped=Rule.EMPTY)
    for number in range(many):
        # what is a list beside them says something of each
        one = {k: v[number] if isinstance(v, list) and len(v) == many else v for k, v in found.items()}
        yield _post(line, one, number, path, columns, table)


def _post(
    line: int, found: Mapping[str, Any], number: int, path: Path, columns: Mapping[str, str], table: str
) -> Post | Unread:
    said = {}
    for field, value in found.items():
        try:
            said[field] = _id_text(value) if field in IDS else _text(value)
        except ValueError as error:
            return Unread(line, f"column {columns[field]!r} {error}")
    title, body, group = said["question"], said.get("body", ""), said["group"]
    if not said["answer"] or not (title or body):
        return Post(line, dropped=Rule.EMPTY)
    question = said["question_id"] or f"{stable_hash(title, body):016x}"
    own = said["answer_id"]
    # many tables count the answers of each question anew
    answer = f"{question}-{own}" if own else f"{stable_hash(path, line, number):016x}"
    author = "" if said["author"].lower() in _NOBODY else said["author"]
    return Post(
        line,
        question,
        title=title,
        asked=body,
        answer=answer,
        text=said["answer"],
        group=group,
        source=group.lower(),
        author=author,
        name=author,
        score=whole_number(said["score"]),
        best=answer if said["accepted"].lower() in _TRUE else None,
        table=table,
        dropped="" if group else Rule.OTHER_GROUP,
    )


def _text(value: Any) -> str:
    """A value as text, without the white space around it; empty where it is missing.

    Raises:
        ValueError: it is no text; the message goes on after the column's name.
    """
    if value is None or value is _ABSENT or value != value:  # NaN
        return ""
    if isinstance(value, list | dict):
        raise ValueError("holds a list or an object, not a text")
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"holds the byte 0x{value[error.start]:02x}, which is not UTF-8") from error
    return str(value).strip()


def _id_text(value: Any) -> str:
    """An id as a run has it, so that one person has one hash in every file.

    Raises:
        ValueError: as `_text`.
    """
    # whole numbers become floats in tables with a missing value in the column
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    plain = _INVISIBLE.sub("", _text(int(value) if whole else value))
    return " ".join(unicodedata.normalize("NFC", plain).split())


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
