"""Lines at the bottom of a terminal: others go above them whole, and nothing is left of them."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest
from rich.text import Text

from sociolect.status.footer import Footer
from terminal import Screen


@contextmanager
def terminal(width: int) -> Iterator[tuple[TextIO, int]]:
    """A pseudo terminal: what a program writes to, and where it is read."""
    ours, theirs = pty.openpty()
    # a new line is no more than it says
    tty.setraw(theirs)
    resize(theirs, width)
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield stream, ours
    os.close(ours)


def resize(terminal: int, width: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))


def test_what_is_written_stands_above_and_the_footer_is_gone_at_the_end() -> None:
    with terminal(40) as (stream, ours):
        footer, screen = Footer(stream), Screen(40)
        print("begun before", file=stream, flush=True)
        footer.show([Text("1 of 9"), Text("  train", "red")])
        assert screen.feed(_read(ours)).lines() == ["begun before", "1 of 9", "  train", ""]
        footer.write("first line\nsecond")
        footer.write(" line\n" + "long " * 12 + "\n")
        long = ["long " * 8, "long " * 4]
        shown = ["begun before", "first line", "second line", *(row.rstrip() for row in long), "1 of 9", "  train", ""]
        assert screen.feed(_read(ours)).lines() == shown
        footer.show([Text("2 of 9")])
        assert screen.feed(_read(ours)).lines() == [*shown[:-3], "2 of 9", ""]
        # the cursor rests below, at the beginning: a prompt has a line of its own
        assert screen.column == 0
        footer.write("no end")
        footer.end()
        assert screen.feed(_read(ours)).lines() == [*shown[:-3], "no end"]
        assert screen.unknown == [], "nothing hides the cursor"


def test_the_width_is_that_of_the_terminal_whatever_a_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    with terminal(40) as (stream, ours):
        footer, screen = Footer(stream), Screen(40)
        footer.show([Text("3 of 9 jobs done, 2 failed")])
        assert screen.feed(_read(ours)).lines() == ["3 of 9 jobs done, 2 failed", ""]
        resize(stream.fileno(), 20)
        footer.show([Text("3 of 9 jobs done, 2 failed")])
        assert "3 of 9 jobs done, …" in _read(ours)
        footer.end()


def test_a_long_line_of_the_footer_is_cut_and_a_terminal_made_narrow_is_cleared() -> None:
    with terminal(40) as (stream, ours):
        footer, screen = Footer(stream), Screen(40)
        footer.write("above\n")
        footer.show([Text("a" * 60), Text("b" * 30)])
        assert screen.feed(_read(ours)).lines() == ["above", "a" * 38 + "…", "b" * 30, ""]
        # the terminal breaks what is there in rows of 20, two for each line
        resize(stream.fileno(), 20)
        narrow = Screen(20).feed("above\n" + "a" * 38 + "…\n" + "b" * 30 + "\n")
        footer.show([Text("c" * 30)])
        assert narrow.feed(_read(ours)).lines() == ["above", "c" * 18 + "…", ""]


def test_in_the_background_lines_are_written_and_nothing_is_drawn_or_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with terminal(40) as (stream, ours):
        footer, screen = Footer(stream), Screen(40)
        footer.show([Text("1 of 9")])
        monkeypatch.setattr(os, "tcgetpgrp", lambda terminal: -1)
        screen.feed(_read(ours) + "$ bg\n")
        footer.show([Text("2 of 9")])
        footer.write("a line\n")
        footer.end()
        assert screen.feed(_read(ours)).lines() == ["1 of 9", "$ bg", "a line", ""]


def _read(terminal: int) -> str:
    found = b""
    while select.select([terminal], [], [], 0)[0]:
        found += os.read(terminal, 65536)
    return found.decode()
