"""The one error that a user can mend: its message says what is wrong, where, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

__all__ = ["InputError", "exit_plainly", "refuse_all"]

# lines of one message: a file that is wrong throughout is not told row by row
MOST = 5


class InputError(ValueError):
    """Bad input or settings. Programs print it as their last line, `error: <message>`, and exit 1."""


def refuse_all(faults: Iterable[str]) -> None:
    """End with all faults, a line each; of very many the first ones, and how many more there are.

    Raises:
        InputError: there is one.
    """
    if lines := list(faults):
        more = len(lines) - MOST
        raise InputError("\n".join(lines[:MOST]) + (f"; {more} more like these" if more > 0 else ""))


def exit_plainly(main: Callable[[], None]) -> None:
    """Run a program's `main`; an InputError ends it with exit 1 and one line `error: ...`, without a traceback."""
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
