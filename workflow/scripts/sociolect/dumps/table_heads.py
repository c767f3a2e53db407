"""The first line of a CSV file that names no columns: what it is instead."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from sociolect.common.errors import InputError
from sociolect.corpus.csv_table import no_header
from sociolect.dumps.mapped import REQUIRED
from sociolect.dumps.packed import dump_lines, unpacked_suffix

__all__ = ["refuse_headless"]


def refuse_headless(path: Path, columns: Mapping[str, str]) -> None:
    """Refuse a CSV file whose first line shows that the file is written otherwise.

    Args:
        path: of any table; only CSV is looked at, packed or not.
        columns: field -> column.

    Raises:
        InputError: the line is a comment, its fields are separated by another mark, or all lines are one, as they end
            in carriage returns; or see `dump_lines`.
    """
    if unpacked_suffix(path) != ".csv":
        return
    line = next((line.decode(errors="replace") for _, line in dump_lines(path) if line.strip()), "")
    try:
        # not strictly: in quotation marks, fields with other marks than commas between them are read as one
        header = next(csv.reader([line]), [])
    except csv.Error as error:
        if "\r" not in line:
            # a record of the file, which is counted as such
            return
        raise InputError(
            f"{path}: its lines end in carriage returns alone; write it with line feeds (`tr '\\r' '\\n'`)"
        ) from error
    there = {*header, *(name for name in columns.values() if name.partition(".")[0] in header)}
    if not {columns[field] for field in REQUIRED} <= there and (why := no_header(header)):
        raise InputError(f"{path}: {why}")
