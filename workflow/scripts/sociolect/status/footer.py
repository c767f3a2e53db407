"""Lines that stay at the bottom of a terminal, below what is written to it meanwhile.

rich's own Live would hide the cursor, which a killed run cannot bring back, and break long lines of others in two.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

_UP_AND_CLEAR = "\r\x1b[{}A\x1b[J"


class Footer(io.TextIOBase):
    """A stream to a terminal. What is written to it appears whole line by whole line, above the lines of the footer.

    The cursor rests at the beginning of the line below them: whatever ends the process leaves a terminal that can be
    used. After a change of its width the next drawing takes away as many rows as the old lines then have.
    """

    def __init__(self, terminal: TextIO) -> None:
        self.terminal = terminal
        self.console = Console(file=terminal, force_terminal=True, highlight=False, markup=False)
        self._drawn: list[int] = []
        self._frame = ""
        self._begun = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Write above the footer; a line without an end waits for it."""
        with self._lock:
            whole, end, self._begun = (self._begun + text).rpartition("\n")
            if end:
                self._put(f"{self._taken_away()}{whole}\n{self._frame}")
        return len(text)

    def show(self, lines: Sequence[RenderableType]) -> None:
        """Put these lines in the place of those that stand there, each cut off at the width of the terminal."""
        with self._lock:
            if not self._in_foreground():
                # what stands there is no longer at the bottom
                self._frame, self._drawn = "", []
                return
            # one column less: some terminals go on in the next row when the last one is full
            # set each time: by itself rich holds on to COLUMNS, whatever width the terminal has meanwhile
            self.console.width = max(1, self.width - 1)
            with self.console.capture() as rendered:
                for line in lines:
                    self.console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
            away, self._frame = self._taken_away(), rendered.get()
            self._drawn = [Text.from_ansi(line).cell_len for line in self._frame.splitlines()]
            self._put(away + self._frame)

    def end(self) -> None:
        """Take the lines away, and write what still waits for its end."""
        with self._lock:
            away, self._frame, self._drawn = self._taken_away(), "", []
            rest, self._begun = self._begun, ""
            with suppress(OSError):  # the terminal may be gone
                self._put(away + rest)

    def flush(self) -> None:
        """Nothing waits but lines without an end."""

    def isatty(self) -> bool:
        """As the terminal says."""
        return self.terminal.isatty()

    def fileno(self) -> int:
        """Of the terminal."""
        return self.terminal.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the terminal."""
        return self.terminal.encoding or "utf-8"

    @property
    def width(self) -> int:
        """Columns of the terminal, now."""
        return self._size().columns

    @property
    def height(self) -> int:
        """Rows of the terminal, now."""
        return self._size().lines

    def _size(self) -> os.terminal_size:
        try:
            size = os.get_terminal_size(self.terminal.fileno())
        except OSError:
            return os.terminal_size((80, 24))
        # some pseudo terminals have no size
        return os.terminal_size((size.columns or 80, size.lines or 24))

    def _taken_away(self) -> str:
        """What takes the footer away, from the line below it."""
        rows = sum(max(1, -(-length // self.width)) for length in self._drawn)
        return _UP_AND_CLEAR.format(rows) if rows else ""

    def _put(self, text: str) -> None:
        self.terminal.write(text)
        self.terminal.flush()

    def _in_foreground(self) -> bool:
        """A run that was put into the background says its lines and draws nothing."""
        try:
            return os.tcgetpgrp(self.terminal.fileno()) == os.getpgrp()
        except OSError:  # not the terminal of this session
            return True
