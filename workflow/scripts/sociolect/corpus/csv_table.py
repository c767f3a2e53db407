"""A table of comma-separated values by one reader, Python's: what is counted and checked is what is kept."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from sociolect.common.errors import InputError, refuse_all
from sociolect.corpus.columns import COLUMNS, stacked, wanted
from sociolect.corpus.file_kinds import open_text
from sociolect.corpus.glued_rows import GluedRows

__all__ = ["no_header", "read_csv"]

# a carriage return before anything but a line feed or the end, and what stands for it: no character of any text
_INSIDE, _CR = re.compile(r"\r(?!\n|\Z)"), "\ufdd0"
_MARKS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_csv(path: Path, most: int | None = None) -> pl.DataFrame:
    """The columns that are wanted, as text, in the file's order; a blank line is no row.

    A quotation mark inside a field that does not begin with one is part of the text.

    Args:
        path: the file.
        most: rows, from the first; None reads all.

    Raises:
        InputError: rows have more or fewer fields than the header, a quoted field does not end as it should, or rows
            seem to be glued together by a quotation mark; a message for each names the line.
    """
    limit = csv.field_size_limit(sys.maxsize)
    lines: list[str] = []
    faults: list[str] = []
    try:
        with open_text(path, "") as stream:
            old = stream.readline().endswith("\r")
        # a file of lines that end in line feeds has carriage returns in its texts, which pandas does not quote
        with open_text(path, "" if old else "\n") as stream:
            reader = csv.reader(_remembered(stream, lines, path), strict=True)
            header: list[str] = next(reader, [])
            columns = wanted(header, path, no_header(header))
            glued = GluedRows(header)
            frame = stacked(islice(_rows(reader, lines, header, columns, path, glued, faults), most), columns)
    except csv.Error as error:
        # a header in quotation marks that another mark separates
        other = _other_marks(lines[0], '"{}"') if reader.line_num == 1 else ""
        faults.append(
            f"{path}: line {reader.line_num}: {error}; "
            + (other or 'the file is cut off, or double quotes inside a text are not doubled ("")')
        )
    finally:
        csv.field_size_limit(limit)
    refuse_all(faults)
    glued.refuse(set(frame["group"]), path)
    return frame


def _remembered(stream: Iterator[str], lines: list[str], path: Path) -> Iterator[str]:
    """The lines of a stream, each kept in `lines` as well; a carriage return inside of one is `_CR`.

    Raises:
        InputError: there is a `_CR` already.
    """
    for number, line in enumerate(stream, start=1):
        if _CR in line:
            raise InputError(f"{path}: line {number}: U+FDD0 stands for no character; take it out")
        lines.append(line)
        yield _INSIDE.sub(_CR, line)


def no_header(header: list[str]) -> str:
    """What to say of a first line that is no header of fields separated by commas."""
    if not header:
        return "line 1 is blank: take it out, so that the header is line 1"
    if header[0].startswith(("#", "sep=")) and not set(COLUMNS) & set(header):
        return f"line 1 is a comment ({','.join(header)[:40]!r}): take it out, so that the header is line 1"
    return _other_marks(header[0]) if len(header) == 1 else ""


def _other_marks(line: str, beside: str = "{}") -> str:
    """What to say of a line with a mark that is not the comma; with what must stand around the mark."""
    found = next((name for mark, name in _MARKS.items() if beside.format(mark) in line), None)
    return f"the fields are separated by {found}: separate the fields by commas" if found else ""


def _rows(
    reader: Iterator[list[str]],
    lines: list[str],
    header: list[str],
    columns: list[str],
    path: Path,
    glued: GluedRows,
    faults: list[str],
) -> Iterator[list[str]]:
    """The wanted fields of each row; `glued` sees every record, into `faults` go rows with more or fewer fields than
    the header."""
    places, n_rows = [header.index(name) for name in columns], 0
    lines.clear()
    end = reader.line_num  # type: ignore[attr-defined]
    for fields in reader:
        first, end = end + 1, reader.line_num  # type: ignore[attr-defined]
        if fields:
            n_rows += 1
            if len(fields) != len(header):
                faults.append(
                    f"{path}: row {n_rows} (line {first}{f' to {end}' if end > first else ''}) has {len(fields)} "
                    f"fields, the header has {len(header)}; the file is cut off, or a text with commas is not in "
                    'double quotes, or double quotes inside a text are not doubled ("")'
                )
                fields = [""] * len(header)
            else:
                glued.see(first, lines)
            yield [fields[place].replace(_CR, "\r") for place in places]
        lines.clear()
