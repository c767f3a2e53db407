"""Heartbeat files: which stage a program has reached, how far it is, and when it was last heard of.

Standard library only: the first beat is written before anything heavy is imported.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sociolect.common.files import write_text
from sociolect.common.gpu_use import gpu_use

# Longest time without a sign of progress before a stage is called stuck, in seconds.
LIMITS_S = {"exec": 300, "imports": 900, "device": 300, "model": 1800}
OTHER_LIMIT_S = 3600
# imported as the program starts
BEGAN = time.time()


def write_beat(path: Path, stage: str, **state: Any) -> None:
    """Write the heartbeat: stage, its limit, time, begin of the program, host, process, SLURM job, GPUs, state.

    The file appears whole or not at all; it is not synced, since it is worth nothing after a crash of the machine.
    """
    beat = {
        "stage": stage,
        "limit_s": LIMITS_S.get(stage, OTHER_LIMIT_S),
        "time": time.time(),
        "began": BEGAN,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "job": os.environ.get("SLURM_JOB_ID", ""),
        "gpu": gpu_use(),
    }
    with suppress(OSError):  # a full disk must not end a program for the sake of its heartbeat
        write_text(json.dumps({**beat, **state}, ensure_ascii=False) + "\n", path, sync=False)


def read_beat(path: Path) -> dict[str, Any] | None:
    """The heartbeat, or None where there is none (the program ended well, or never began)."""
    try:
        beat = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return beat if isinstance(beat, dict) else None


def overdue_s(beat: dict[str, Any], now: float) -> float:
    """Seconds that a running program is beyond its stage's limit; 0 while it is within, or once it has ended."""
    if "ended" in beat:
        return 0.0
    return max(0.0, now - float(beat["time"]) - float(beat.get("limit_s", OTHER_LIMIT_S)))
