"""A client of OpenAI-compatible servers: chat completions, asked again where that may help; if not, in plain words."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from threading import Event
from typing import Any

import httpx2

from sociolect.common.errors import InputError
from sociolect.common.seeds import stable_hash
from sociolect.lm.server_key import without_key
from sociolect.lm.server_reply import ReplyError, ServerReply, read_reply, said_wrong
from sociolect.lm.server_trouble import FILTERED, in_words, is_filtered, json_of, may_pass, wait_of
from sociolect.settings.server import ServerSettings, is_this_machine

__all__ = ["ChatServer"]

_LATER = "then run again: what was answered is kept"
LONGEST_WAIT_S, FIRST_WAIT_S, MOST_WAIT_S = 600.0, 1.0, 60.0
MOST_BYTES, MOST_QUOTED = 8 * 1024 * 1024, 300


class _PassingError(Exception):
    """What may be over when the request is sent again, after so many seconds at least."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class ChatServer:
    """Asks one server; of use from several threads at once."""

    def __init__(self, server: ServerSettings, key: str | None, pace: float = 1.0) -> None:
        """Send nothing yet.

        Args:
            server: where, and how.
            key: that is sent; None for none.
            pace: what waits are multiplied with; for tests.
        """
        self.server, self._key, self._pace = server, key, pace
        # it has a line for every request
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(server.timeout_s, connect=min(20.0, server.timeout_s)),
            limits=httpx2.Limits(max_connections=server.concurrency),
            # no proxy lies between this machine and itself
            trust_env=not is_this_machine(server.address),
        )
        self._given_up = Event()
        self._not_before = 0.0

    def ask(self, body: Mapping[str, Any], attempts: int | None = None) -> ServerReply:
        """The reply to a chat completion's request.

        Args:
            body: what is sent.
            attempts: times that it is sent at most; those of the settings where nothing is said.

        Raises:
            InputError: the server refuses it, or is not to be had. The message does not hold the key.
        """
        attempts, began, why, sent = attempts or self.server.attempts, time.monotonic(), "given up", 0
        for attempt in range(attempts):
            self._wait(self._not_before - time.monotonic())
            if self._given_up.is_set():
                break
            sent += 1
            try:
                return self._post(body)
            except _PassingError as error:
                why = str(error)
                if error.wait is not None and error.wait > LONGEST_WAIT_S:
                    raise InputError(
                        f"{self.server.address} asks to wait for {error.wait:.0f} s ({why}); {_LATER}"
                    ) from None
                if attempt + 1 < attempts:
                    self._pause(body, attempt, error.wait)
        took = time.monotonic() - began
        raise InputError(
            f"{self.server.address} gave no answer, asked {sent} times in {took:.0f} s: {why}; see that it runs, that "
            f"this machine reaches it, and description.server.address; {_LATER}"
        )

    def give_up(self) -> None:
        """Let no thread wait any longer to ask again."""
        self._given_up.set()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._given_up.wait(seconds)

    def _pause(self, body: Mapping[str, Any], attempt: int, asked: float | None) -> None:
        """Wait twice as long each time, spread so that threads do not come back together; or as long as asked for."""
        spread = 0.5 + stable_hash(json.dumps(body, default=str), attempt) / 2**65
        seconds = max(asked or 0.0, min(MOST_WAIT_S, FIRST_WAIT_S * 2**attempt) * spread) * self._pace
        if asked:
            # it means all requests
            self._not_before = max(self._not_before, time.monotonic() + asked * self._pace)
        self._wait(seconds)

    def _post(self, body: Mapping[str, Any]) -> ServerReply:
        try:
            status, headers, text = self._exchange("POST", "/chat/completions", body)
        except httpx2.RequestError as error:
            if "CERTIFICATE" in str(error):
                raise InputError(f"{self.server.address}: its certificate is not trusted ({error})") from None
            raise _PassingError(in_words(error)) from None
        said = json_of(text)
        if status == 200:
            try:
                return read_reply(said)
            except ReplyError as error:
                raise _PassingError(self._quoted(str(error))) from None
        if status == 400 and is_filtered(said):
            # the text about which it was asked: an answer like any other that says nothing
            return ServerReply("", FILTERED)
        why = self._quoted(said_wrong(said) or text) or "nothing said of why"
        if may_pass(status, said):
            raise _PassingError(f"{status}, {why}", wait_of(headers.get("retry-after")))
        raise InputError(self._refused(status, why))

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, Mapping[str, str], str]:
        """Status, headers and text of the answer, in the time that it may take."""
        latest, read, content = time.monotonic() + self.server.timeout_s, 0, bytearray()
        with self._client.stream(method, f"{self.server.address}{path}", json=body) as response:
            for piece in response.iter_bytes():
                content += piece
                read += len(piece)
                if time.monotonic() > latest or read > MOST_BYTES:
                    raise httpx2.ReadTimeout("an answer that does not end")
        return response.status_code, response.headers, content.decode("utf-8", "replace")

    def _quoted(self, said: str) -> str:
        """What a server says, for a message: decoded, in one line, and without the key before it is cut."""
        return " ".join(without_key(said, self._key).split())[:MOST_QUOTED]

    def _refused(self, status: int, why: str) -> str:
        """What a status that no wait mends means, and what to do."""
        server, where = self.server, self.server.address
        if status == 401:
            # what servers say of a key may repeat some of it
            own = f"the key in {server.key_variable}" if self._key else "a request without a key"
            return (
                f"{where} refuses {own} (401); export the key under the name in description.server.key_variable "
                f"({server.key_variable}), before the run starts"
            )
        if 300 <= status < 400:
            return f"{where} redirects ({status}); give the address to which it leads as description.server.address"
        if status == 404:
            return (
                f"{where} has no model {server.model!r}, or is no address of a server (404: {why}); {self._known()}"
                "mend description.server.model, or address, which mostly ends in /v1"
            )
        if status in (402, 403, 429):
            return f"{where} does not let this account ask ({status}: {why}); mend that there; {_LATER}"
        return (
            f"{where} refuses the request ({status}: {why}); lower description.max_prompt_chars where the text is too "
            "long; description.server.extra adds fields, and takes out those it does not know (temperature: null)"
        )

    def _known(self) -> str:
        """The models that it lists, for a message."""
        try:
            status, _, text = self._exchange("GET", "/models", None)
        except httpx2.RequestError:
            return ""
        listed = json_of(text).get("data") if status == 200 and isinstance(json_of(text), Mapping) else None
        models = [m for m in listed if isinstance(m, Mapping)] if isinstance(listed, list) else []
        names = [self._quoted(str(model.get("id"))) for model in models]
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        return f"it has {', '.join(sorted(names)[:10])}{more}; " if names else ""
