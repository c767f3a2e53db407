"""A server of chat completions on this machine, for tests: it plays back replies, and keeps what it was asked."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-never-to-be-seen-1234567890"


@dataclass
class Reply:
    """Status, body (JSON or bytes), headers, seconds before it, and whether it is cut off in the middle."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0
    cut: bool = False


def said(text: str | None, finish: str | None = "stop", **message: Any) -> Reply:
    """A chat completion as OpenAI-compatible servers write it."""
    return Reply(
        {
            "id": "chat-1",
            "model": "tiny-2026-01-01",
            "system_fingerprint": "fp_7",
            "choices": [{"index": 0, "finish_reason": finish, "message": {"content": text, **message}}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
        }
    )


def refused(status: int, message: str, code: str = "", **headers: str) -> Reply:
    """An error as they write it."""
    return Reply(
        {"error": {"message": message, "code": code}}, status, {k.replace("_", "-"): v for k, v in headers.items()}
    )


@dataclass
class Told:
    """What the server was asked: bodies, headers, times, and how many requests were under way at once."""

    address: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    under_way: int = 0
    most: int = 0


@contextmanager
def chat_server(answer: Callable[[dict[str, Any], int], Reply]) -> Iterator[Told]:
    """A server that answers by `answer`, a function of the body and of the number of requests before it."""
    told, lock = Told(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(told.bodies)
                told.bodies.append(body)
                told.headers.append(dict(self.headers))
                told.times.append(time.monotonic())
                told.paths.append(self.path)
                told.under_way += 1
                told.most = max(told.most, told.under_way)
            reply = answer(body, number)
            time.sleep(reply.after)
            with lock:
                told.under_way -= 1
            self._send(reply)

        def do_GET(self) -> None:
            self._send(Reply({"data": [{"id": "tiny"}, {"id": "small"}]}))

        def _send(self, reply: Reply) -> None:
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if reply.cut else content)
            self.close_connection = self.close_connection or reply.cut

        def handle(self) -> None:
            try:
                super().handle()
            except (BrokenPipeError, ConnectionResetError):
                # who asked did not wait
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()


def free_address() -> str:
    """An address at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
