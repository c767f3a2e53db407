"""The one error that a user can mend: its message says what is wrong, where, and what to do."""


class InputError(ValueError):
    """Bad input or settings. Programs print it as their last line, `error: <message>`, and exit 1."""
