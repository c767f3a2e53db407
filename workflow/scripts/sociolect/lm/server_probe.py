"""Whether the server that describes is to be had: its key is there and, where that is asked for, it answers."""

from __future__ import annotations

from collections.abc import Mapping

from sociolect.common.errors import InputError
from sociolect.lm.server_key import key_of
from sociolect.settings.server import ServerSettings

__all__ = ["server_fault"]

PATIENCE_S = 20.0
# fewer are refused by some
MAX_TOKENS = 16


def server_fault(server: ServerSettings, environ: Mapping[str, str], ask: bool) -> str | None:
    """What is wrong, and what to do; None where nothing is. The text does not hold the key.

    Args:
        server: the server.
        environ: the environment's variables.
        ask: whether one short request is sent, once, as a run sends them.
    """
    try:
        key = key_of(server, environ)
        if ask:
            _ask(server.model_copy(update={"timeout_s": min(PATIENCE_S, server.timeout_s)}), key)
    except InputError as error:
        return str(error)
    return None


def _ask(server: ServerSettings, key: str | None) -> None:
    # imported here: whoever looks for the key alone sends nothing
    from contextlib import closing

    from sociolect.lm.chat_request import chat_of
    from sociolect.lm.chat_server import ChatServer

    with closing(ChatServer(server, key)) as asked:
        asked.ask(chat_of(server, None, "Say yes.", MAX_TOKENS, 0), attempts=1)
