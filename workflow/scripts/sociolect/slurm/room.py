"""Room on the disks that a run writes to. Standard library only."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

# What must go on a disk before it has room; a quota shows in the write alone.
PROBE = bytes(256 << 10)
FULL = {errno.ENOSPC, errno.EDQUOT}


def write_fault(folder: Path) -> OSError | None:
    """Why a file cannot be written in a folder, from here; None if it can."""
    probe = folder / f".room.{os.getpid()}"
    try:
        with probe.open("wb") as stream:
            stream.write(PROBE)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        return error
    finally:
        with suppress(OSError):
            probe.unlink()
    return None


def no_room(folders: Iterable[Path]) -> str:
    """The first of these folders whose disk or quota is full, and the system's word; empty if none is.

    One write per disk; of a folder that is not there yet the next one above counts.
    """
    disks: dict[int, Path] = {}
    for folder in folders:
        there = next((path for path in (folder, *folder.parents) if path.is_dir()), None)
        if there is not None:
            disks.setdefault(there.stat().st_dev, there)
    for folder in disks.values():
        fault = write_fault(folder)
        if fault is not None and fault.errno in FULL:
            return f"{folder}: {fault.strerror}"
    return ""
