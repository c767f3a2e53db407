"""The clock of a file system: those of a node and of the machine that looks at its heartbeat may be minutes apart."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import NamedTemporaryFile


def age_s(path: Path) -> float:
    """Seconds since a file was written, by the clock of its own file system; 0 where there is none."""
    try:
        written = path.stat().st_mtime
    except OSError:
        return 0.0
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=".clock-") as stream:
            now = Path(stream.name).stat().st_mtime
    except OSError:  # full, or not ours to write
        now = time.time()
    return max(0.0, now - written)
