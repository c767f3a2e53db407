"""The key of a server: read from the environment, sent where it is safe, and kept out of every text."""

from __future__ import annotations

from collections.abc import Mapping

from sociolect.common.errors import InputError
from sociolect.settings.server import HOSTED_KEY, ServerSettings, is_encrypted, is_this_machine

__all__ = ["key_of", "without_key"]


def key_of(server: ServerSettings, environ: Mapping[str, str]) -> str | None:
    """The key that is sent; None where none is.

    That of the hosted service (`OPENAI_API_KEY`) is asked for where the address is https and not this machine, and
    never goes to another machine unencrypted. A variable with another name is meant for this server.

    Args:
        server: where it goes.
        environ: the environment's variables.

    Raises:
        InputError: there must be one and there is none, or it is no key. The message does not hold it.
    """
    name, here, safe = server.key_variable, is_this_machine(server.address), is_encrypted(server.address)
    if name is None or (name == HOSTED_KEY and not here and not safe):
        return None
    key = environ.get(name, "").strip()
    if not key:
        if name == HOSTED_KEY and here:
            return None
        raise InputError(
            f"the environment has no {name}; export it where you start the run, or, for a server without keys, set "
            "description.server.key_variable: null"
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(f"{name} holds no key: there are blanks or odd characters in it; export the key alone")
    return key


def without_key(text: str, key: str | None) -> str:
    """The text with the key left out: for a message that quotes a server, never for an answer that is used."""
    return text.replace(key, "***") if key else text
