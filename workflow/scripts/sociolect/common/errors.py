"""The one error that a user can mend: its message says what is wrong, where, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable


class InputError(ValueError):
    """Bad input or settings. Programs print it as their last line, `error: <message>`, and exit 1."""


def exit_plainly(main: Callable[[], None]) -> None:
    """Run a program's `main`; an InputError ends it with exit 1 and one line `error: ...`, without a traceback."""
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
