"""The columns of a table of answers, and finding them among those that a file has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import polars as pl

from sociolect.common.errors import InputError

__all__ = ["COLUMNS", "IDS", "REQUIRED", "TEXTS", "refuse_twice", "stacked", "wanted"]

IDS = ("question_id", "answer_id", "author", "group")
TEXTS = ("question", "answer")
COLUMNS = ("question_id", "question", "answer_id", "answer", "author", "group")
REQUIRED = tuple(name for name in COLUMNS if name != "author")
# rows of Python strings that are held before they become columns
CHUNK = 50_000


def stacked(rows: Iterable[Sequence[str | None]], columns: Sequence[str]) -> pl.DataFrame:
    """Rows as columns of text, however many they are.

    Args:
        rows: one value for each column.
        columns: their names.
    """
    schema, left = dict.fromkeys(columns, pl.String), iter(rows)
    frames = [pl.DataFrame(schema=schema)]
    while chunk := list(islice(left, CHUNK)):
        frames.append(pl.DataFrame(chunk, schema=schema, orient="row"))
    return pl.concat(frames)


def wanted(present: list[str], path: Path, hint: str = "") -> list[str]:
    """The columns to read, of those present.

    Args:
        present: the file's columns.
        path: the file.
        hint: what may be wrong with it, for the message.

    Raises:
        InputError: one is there twice, or a required one is missing; the message names near misses.
    """
    refuse_twice(COLUMNS, present, path)
    missing = [name for name in REQUIRED if name not in present]
    if missing:
        hints = [f"{found!r} looks like {name!r}: rename it" for name, found in _near_misses(missing, present)]
        hints += [hint] if hint else []
        raise InputError(
            f"{path}: missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"the file has {', '.join(present) or 'none'}"
            + "".join(f"; {hint}" for hint in hints or ["add or rename columns (author may be missing)"])
        )
    return [name for name in COLUMNS if name in present]


def refuse_twice(names: Iterable[str], present: Sequence[str], path: Path) -> None:
    """Refuse a column that is needed and there twice.

    Raises:
        InputError: one is.
    """
    for name in names:
        if present.count(name) > 1:
            raise InputError(f"{path}: the column {name!r} is there twice; keep one of them")


def _near_misses(missing: list[str], present: list[str]) -> Iterator[tuple[str, str]]:
    plain = {_plain(name): name for name in present if name not in COLUMNS}
    for name in missing:
        close = difflib.get_close_matches(_plain(name), list(plain), n=1, cutoff=0.75)
        if close:
            yield name, plain.pop(close[0])


def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())
