"""A table in JSON Lines by one reader, Python's: exact numbers, and every value's line is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from sociolect.common.errors import InputError, refuse_all
from sociolect.corpus.columns import COLUMNS, IDS, REQUIRED, stacked, wanted
from sociolect.corpus.file_kinds import open_text

__all__ = ["once", "read_jsonl"]


def read_jsonl(path: Path, most: int | None = None) -> pl.DataFrame:
    """The columns that are wanted, as text, in the file's order; a blank line is no row, a missing key is null.

    Whole numbers are ids as well; NaN, which pandas writes for a missing value, is null where null is allowed.

    Args:
        path: the file.
        most: rows, from the first; None reads all.

    Raises:
        InputError: lines are not one JSON object, have a key twice, or a value that is not text; a message for each
            names the line and the key.
    """
    present: dict[str, None] = {}
    faults: list[str] = []

    def rows() -> Iterator[list[str | None]]:
        with open_text(path, "\n") as stream:
            lines = ((number, line) for number, line in enumerate(stream, start=1) if line.strip())
            for number, line in islice(lines, most):
                where = f"{path}: line {number}"
                try:
                    value = _object(line, where)
                    row = [_text(value.get(name), name, where) for name in COLUMNS]
                except InputError as error:
                    faults.append(str(error))
                    continue
                present.update(dict.fromkeys(value))
                yield row

    frame = stacked(rows(), COLUMNS)
    refuse_all(faults)
    return frame.select(wanted(list(present), path) if frame.height else COLUMNS)


def _object(line: str, where: str) -> dict[str, Any]:
    """The object of a line.

    Raises:
        InputError: it is none.
    """
    try:
        value = json.loads(line, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where} is not JSON ({error.msg} at character {error.pos}); the file is cut off, "
            "or it does not hold one JSON object a line"
        ) from error
    except ValueError as error:
        # a key that is there twice, or a number of thousands of digits
        raise InputError(f"{where}: {error}") from error
    except RecursionError as error:
        raise InputError(f"{where}: it is nested too deeply; give one flat JSON object a line") from error
    if not isinstance(value, dict):
        raise InputError(f"{where} is not a JSON object; give one object a line")
    return value


def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs of key and value; a hook of `json.loads`.

    Raises:
        ValueError: a key is there twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} is there twice; keep one of them")
    return found


def _text(value: Any, name: str, where: str) -> str | None:
    """A value as text; ids may be whole numbers, of any size.

    Raises:
        InputError: it is something else.
    """
    if value is None or isinstance(value, str):
        return _encodable(value, name, where)
    if value != value:  # NaN
        if name in REQUIRED:
            raise InputError(f"{where}, key {name!r}: the value is NaN, a missing one; write it or take the line out")
        return None
    if name in IDS and not isinstance(value, bool):
        if isinstance(value, int):
            return str(value)
        if isinstance(value, float):
            # whole numbers become floats in tables that other tools wrote with a missing value in the column
            if value.is_integer() and abs(value) < 2**53:
                return str(int(value))
            _refuse(where, name, f"{value!r} is no id; write ids as text or whole numbers")
    kind = {dict: "an object", list: "a list", bool: "true or false"}.get(type(value), "a number")
    _refuse(where, name, f"the value is {kind}; write it as text")


def _encodable(value: str | None, name: str, where: str) -> str | None:
    try:
        if value is not None:
            value.encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise InputError(
            f"{where}, key {name!r}: {half} is half of a surrogate pair; write the whole character"
        ) from error
    return value


def _refuse(where: str, name: str, why: str) -> NoReturn:
    raise InputError(f"{where}, key {name!r}: {why}")
