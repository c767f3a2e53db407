"""What goes wrong with a server: whether waiting may help, for how long, and in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

__all__ = ["FILTERED", "in_words", "is_filtered", "json_of", "may_pass", "wait_of"]

FILTERED = "content_filter"
# a server that is busy or restarts, or a gateway that lost it
PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}
# of 429: nothing that a wait would mend
SPENT = ("insufficient_quota", "billing_hard_limit_reached")


def may_pass(status: int, said: Any) -> bool:
    """Whether the same request may be answered later; `said` is the body, as JSON gave it."""
    return status in PASSING and not any(code in SPENT for code in _codes(said))


def is_filtered(said: Any) -> bool:
    """Whether a request was refused for what its text says, by OpenAI's word or Azure's."""
    return FILTERED in _codes(said) or "responsibleaipolicyviolation" in _codes(said)


def wait_of(retry_after: str | None) -> float | None:
    """Seconds of a header Retry-After, which may be a date; None without one that can be read."""
    if not retry_after:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", retry_after.strip()):
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def in_words(error: httpx2.RequestError) -> str:
    """What went wrong on the way, in the words of the system where it has some."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror.lower()
        inner = inner.__cause__ or inner.__context__
    kinds = {httpx2.TimeoutException: "no answer in time", httpx2.RemoteProtocolError: "the answer was cut off"}
    known = next((words for kind, words in kinds.items() if isinstance(error, kind)), "the connection broke")
    return f"{known} ({str(error) or type(error).__name__})"


def json_of(text: str) -> Any:
    """The value of a JSON text; None of one that is not whole."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _codes(said: Any) -> list[str]:
    """Codes of an error, and of one within it."""
    error = said.get("error") if isinstance(said, Mapping) else None
    inner = error.get("innererror") if isinstance(error, Mapping) else None
    found = [part.get(name) for part in (error, inner) if isinstance(part, Mapping) for name in ("code", "type")]
    return [str(code).lower() for code in found if code]
