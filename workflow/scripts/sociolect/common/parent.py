"""The process that started a program: it outlives a program that a signal ends, and writes down which one.

Standard library only, and plain enough for an old Python.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from sociolect.common.heartbeat import read_beat, write_beat

# sent on purpose, by a user, a scheduler or a closed terminal: whoever sent them says why
ON_PURPOSE = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1


def go_on_as_child(beat: Path | None) -> None:
    """Return in a child of this process, and end this process as the child ends: with its exit status, or 128 and the
    signal's number. A signal that nobody sent on purpose is the last line, and stands in the heartbeat.
    """
    child = os.fork()
    if child == 0:
        if sys.platform == "linux":
            # no program goes on without the process that Snakemake knows
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        return
    # a terminal sends its signals to both
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: os.kill(child, number))
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        os._exit(os.WEXITSTATUS(status))
    number = os.WTERMSIG(status)
    try:
        if number not in ON_PURPOSE:
            _write_down(signal.Signals(number).name, beat)
    finally:
        os._exit(128 + number)


def _write_down(name: str, beat: Path | None) -> None:
    last = (read_beat(beat) if beat is not None else None) or {"stage": "exec"}
    message = f"killed by {name} in stage {last['stage']}"
    if beat is not None:
        state = {key: value for key, value in last.items() if key != "stage"}
        write_beat(beat, last["stage"], **{**state, "ended": "failed", "message": message})
    print(f"error: {message}", file=sys.stderr, flush=True)
