"""What a server answered, kept line by line as it comes: a kill loses no answer that arrived."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sociolect.lm.server_reply import ServerReply

__all__ = ["KeptReply", "ReplyJournal"]

log = logging.getLogger("sociolect")


@dataclass(frozen=True)
class KeptReply:
    """A reply, and the address that it came from."""

    reply: ServerReply
    address: str


class ReplyJournal:
    """Key of a request -> reply, in a file of JSON lines that grows."""

    def __init__(self, path: Path) -> None:
        """Read what is there. A line that is not whole, as a kill leaves it, is asked anew."""
        self.path, self.kept = path, dict[str, KeptReply]()
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_bytes().split(b"\n") if path.is_file() else [b""]
        broken = 0
        for line in lines:
            try:
                row = json.loads(line) if line else None
                if row is not None:
                    self.kept[row["key"]] = KeptReply(ServerReply(**row["reply"]), row["address"])
            except (ValueError, KeyError, TypeError):
                broken += 1
        if broken:
            log.warning("warning: %s: %d lines are not whole; they are asked anew", path, broken)
        # what is appended begins a line of its own
        self._begin = b"" if lines[-1] == b"" else b"\n"

    def add(self, key: str, kept: KeptReply) -> None:
        """Keep a reply; it is on the disk when this returns."""
        row = {"key": key, "address": kept.address, "reply": asdict(kept.reply)}
        line = self._begin + json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"
        with self.path.open("ab") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        self._begin = b""
        self.kept[key] = kept
