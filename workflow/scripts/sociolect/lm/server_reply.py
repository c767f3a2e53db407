"""What a server replies: the final text, why it ended, who answered, and what was counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sociolect.lm.thoughts import final_text

__all__ = ["ReplyError", "ServerReply", "read_reply", "said_wrong"]


class ReplyError(Exception):
    """A reply that is no chat completion."""


@dataclass(frozen=True)
class ServerReply:
    """An answered request.

    Attributes:
        text: the final part; empty where a model never got beyond its thoughts.
        finish_reason: `stop`, `length`, or whatever else the server says.
        model: that answered, as the server reports it; empty where it does not.
        fingerprint: of model and software, likewise.
        thoughts: whether the model thought before it, which was cut here or by the server.
        prompt_tokens: as the server counted them, 0 where it did not.
        new_tokens: generated ones, thoughts included, likewise.
    """

    text: str
    finish_reason: str
    model: str = ""
    fingerprint: str = ""
    thoughts: bool = False
    prompt_tokens: int = 0
    new_tokens: int = 0


def read_reply(body: Any) -> ServerReply:
    """The reply of a body, as JSON gave it.

    Raises:
        ReplyError: it has no choice with a message.
    """
    choices = body.get("choices") if isinstance(body, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        raise ReplyError(f"an answer without choices ({said_wrong(body) or 'nothing said of why'})")
    raw, usage = _content(message.get("content")), body.get("usage")
    counted = usage if isinstance(usage, Mapping) else {}
    final, thought = final_text(raw)
    return ServerReply(
        text=final,
        # some say nothing of an answer that ended by itself
        finish_reason=str(choice.get("finish_reason") or "stop"),
        model=str(body.get("model") or ""),
        fingerprint=str(body.get("system_fingerprint") or ""),
        thoughts=thought or any(message.get(name) for name in ("reasoning_content", "reasoning")),
        prompt_tokens=_count(counted.get("prompt_tokens")),
        new_tokens=_count(counted.get("completion_tokens")),
    )


def said_wrong(body: Any) -> str:
    """What a body says went wrong, in one line, whole; empty where it says nothing."""
    found = body.get("error", body.get("detail", body.get("message"))) if isinstance(body, Mapping) else None
    if isinstance(found, Mapping):
        found = found.get("message") or found.get("code")
    return " ".join(str(found or "").split())


def _content(content: Any) -> str:
    """Text, or the texts of a list of parts."""
    parts = content if isinstance(content, list) else [{"text": content}]
    text = "".join(str(part.get("text") or "") for part in parts if isinstance(part, Mapping))
    # half a letter, as JSON can have it, is none
    return text.encode("utf-8", "replace").decode("utf-8")


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
