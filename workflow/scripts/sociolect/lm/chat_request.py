"""What a server is sent: one chat, greedy, with a seed."""

from __future__ import annotations

from typing import Any

from sociolect.settings.server import ServerSettings

__all__ = ["SEEDS", "chat_of"]

# how many seeds servers take
SEEDS = 2**31


def chat_of(server: ServerSettings, system: str | None, user: str, max_tokens: int, seed: int) -> dict[str, Any]:
    """The body of a request: a chat, greedy, with a seed; `extra` adds fields and, with null, takes some out."""
    turns = [{"role": "system", "content": system}] if system else []
    body: dict[str, Any] = {
        "model": server.model,
        "messages": [*turns, {"role": "user", "content": user}],
        "max_tokens": max_tokens,
        "temperature": 0.0,
        "seed": seed % SEEDS,
        **server.extra,
    }
    return {name: value for name, value in body.items() if value is not None}
