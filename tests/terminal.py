"""A terminal for tests: what is on its screen after what a program wrote, and the codes that it does not know."""

from __future__ import annotations

import re

_PARTS = re.compile(r"\x1b\[(?P<number>[?\d;]*)(?P<code>[A-Za-z])|(?P<mark>[\r\n])|(?P<text>[^\x1b\r\n]+)|\x1b")


class Screen:
    """Rows of text, endless downwards; lines longer than its width go on in the next row."""

    def __init__(self, width: int) -> None:
        self.width, self.rows, self.row, self.column = width, [""], 0, 0
        self.unknown: list[str] = []

    def feed(self, text: str) -> Screen:
        """Take what a program wrote."""
        for part in _PARTS.finditer(text):
            if part["text"]:
                for letter in part["text"]:
                    self._letter(letter)
            elif part["mark"] == "\r":
                self.column = 0
            elif part["mark"] == "\n":
                self._down()
            elif part["code"] == "A":
                self.row = max(0, self.row - int(part["number"] or 1))
            elif part["code"] == "J":
                self.rows[self.row :] = [self.rows[self.row][: self.column]]
            elif part["code"] != "m":
                self.unknown.append(part[0])
        return self

    def lines(self) -> list[str]:
        """The rows, without blanks at their ends."""
        return [row.rstrip() for row in self.rows]

    def _letter(self, letter: str) -> None:
        if self.column == self.width:
            self._down()
        row = self.rows[self.row].ljust(self.column)
        self.rows[self.row] = row[: self.column] + letter + row[self.column + 1 :]
        self.column += 1

    def _down(self) -> None:
        self.row, self.column = self.row + 1, 0
        if self.row == len(self.rows):
            self.rows.append("")
