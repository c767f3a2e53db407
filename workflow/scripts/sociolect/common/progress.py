"""Progress of a program: what it calls back with, and the reporter that writes log and heartbeat."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sociolect.common.heartbeat import write_beat

__all__ = ["Progress", "Report", "within"]

log = logging.getLogger("sociolect")


class Report(Protocol):
    """Takes progress: units done, all units, a word on how it goes, and how many of those done an earlier start did."""

    def __call__(self, done: int, total: int, message: str = "", kept: int = 0, /) -> Any:
        """Once per batch, step or round."""
        ...


@dataclass
class Progress:
    """Reports done/total, rate and time left: a log line and a heartbeat file, at most every `interval` seconds."""

    name: str
    heartbeat: Path | None = None
    interval: float = 5.0
    started: float = field(default_factory=time.monotonic)
    _last: float = 0.0

    def __call__(self, done: int, total: int, message: str = "", kept: int = 0) -> None:
        now = time.monotonic()
        if now - self._last < self.interval and done < total:
            return
        self._last = now
        elapsed = max(now - self.started, 1e-9)
        # what was there already took no time of this start
        rate = (done - kept) / elapsed
        eta = (total - done) / rate if rate > 0 else float("inf")
        log.info(
            "%s %d/%d, %.3g/s, %.0f s left%s",
            self.name,
            done,
            total,
            rate,
            eta,
            f", {message}" if message else "",
        )
        self.beat(done=done, total=total, rate=rate, eta_s=None if eta == float("inf") else eta, message=message)

    def beat(self, **state: Any) -> None:
        """Write the heartbeat file (time, host, process and the given state)."""
        if self.heartbeat is not None:
            write_beat(self.heartbeat, self.name, **state)


def within(progress: Report | None, before: int, size: int, total: int, kept: int = 0) -> Report | None:
    """Progress of a part of the work, whatever the part counts.

    Args:
        progress: of the whole.
        before: units done before the part.
        size: units that the part is.
        total: all units.
        kept: of the units before the part, those that an earlier start did.
    """
    if progress is None:
        return None
    whole = progress

    def report(done: int, of: int, message: str = "", own: int = 0) -> None:
        whole(before + size * done // max(1, of), total, message, kept + size * own // max(1, of))

    return report
