"""Rows of a CSV file that a quotation mark, not doubled inside a text, glues together into one record."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from sociolect.common.errors import InputError

__all__ = ["GluedRows", "like_a_row", "surely_rows"]

# commas that stand where rows have them, over the lines of a record, that are no chance in a text
_NO_CHANCE = 12


def like_a_row(line: str, width: int) -> bool:
    """Whether a line has as many commas as a row of `width` fields, or more."""
    return line.count(",") >= width - 1


def surely_rows(lines: Sequence[str], width: int) -> bool:
    """Whether all lines of a record have exactly the commas of a row, and more in all than in a text by chance."""
    return len(lines) * (width - 1) >= _NO_CHANCE and all(line.count(",") == width - 1 for line in lines)


class GluedRows:
    """Records over several lines that may be rows of their own.

    Args:
        header: of the file.
        group: the column of groups.
    """

    def __init__(self, header: Sequence[str], group: str = "group") -> None:
        self.width, self.place = len(header), list(header).index(group)
        self.found: list[tuple[int, list[set[str]]]] = []

    def see(self, first: int, lines: Sequence[str]) -> None:
        """Keep a record, from line `first` on, if each of its several lines has as many commas as a row."""
        if len(lines) > 1 and all(like_a_row(line, self.width) for line in lines):
            split = [line.rstrip("\r\n").split(",") for line in lines]
            # where the group stands, counted from the left and from the right: other fields may have commas
            self.found.append((first, [{fields[self.place], fields[self.place - self.width]} for fields in split]))

    def refuse(self, groups: Collection[str], path: Path) -> None:
        """Refuse a record each line of which names a group of the file at the place where a row does. Where no other
        row names the group, no reader can know.

        Raises:
            InputError: there is one.
        """
        known = {*groups}
        for first, lines in self.found:
            if all(known & fields for fields in lines):
                raise InputError(
                    f"{path}: lines {first} to {first + len(lines) - 1} look like rows of their own, which a quotation "
                    'mark at the beginning of a field joins into one; double quotes inside a text must be doubled ("")'
                )
