"""A server that describes: its address and model, where its key comes from, and how it is asked."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from sociolect.settings.base import Positive, Stage

__all__ = ["HOSTED_KEY", "ServerSettings", "is_encrypted", "is_this_machine"]

# the variable that clients of OpenAI's own service read
HOSTED_KEY = "OPENAI_API_KEY"
# what the describer says itself
_OWN_FIELDS = ("messages", "model", "n", "stream")


# what is wrong is never repeated: it may hold a key
def _address(text: str) -> str:
    address = text.rstrip("/")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9._:-]+", host or ""):
        raise ValueError("this is no address; write one such as http://localhost:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("an address without user, password, ? and #; keys come from the environment (key_variable)")
    if address.endswith("/completions"):
        raise ValueError("leave off /chat/completions, which is added; such as https://api.openai.com/v1")
    return address


def _variable(name: str | None) -> str | None:
    if name is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("write the name of an environment variable, such as OPENAI_API_KEY, never a key itself")
    return name


def _extra(fields: dict[str, Any]) -> dict[str, Any]:
    if own := [name for name in _OWN_FIELDS if name in fields]:
        raise ValueError(f"{own[0]} is what the describer itself says; leave it out")
    return fields


class ServerSettings(Stage):
    """An OpenAI-compatible server that is asked for chat completions."""

    address: Annotated[str, AfterValidator(_address)] = Field(
        description="Address of the server, up to /v1: http://localhost:8000/v1, https://api.openai.com/v1."
    )
    model: str = Field(min_length=1, description="Name of the model, as the server has it.")
    key_variable: Annotated[str | None, AfterValidator(_variable)] = Field(
        HOSTED_KEY, description="Environment variable with the key; null: no key is sent."
    )
    concurrency: int = Field(8, ge=1, le=256, description="Requests under way at once.")
    timeout_s: float = Field(120.0, gt=0, description="Seconds that an answer may take.")
    attempts: Positive = Field(8, description="Times that a request is sent, where waiting may help.")
    extra: Annotated[dict[str, Any], AfterValidator(_extra)] = Field(
        {}, description="Further fields of every request, as the server knows them; null takes one out."
    )


def is_this_machine(address: str) -> bool:
    """Whether what is sent there stays on this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_encrypted(address: str) -> bool:
    """Whether nobody on the way can read what is sent there."""
    return urlsplit(address).scheme == "https"
