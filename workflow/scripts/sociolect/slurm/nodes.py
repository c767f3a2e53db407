"""Nodes that submissions leave out: those that failed the job before, and bad ones, recorded for a day.

One small file per bad node, written by job_env.sh on the node or here: `<seconds since 1970> <job> <reason>`.
A record expires after a day, that of an interpreter that does not run also when the environment is made anew.
Standard library only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sociolect.common.files import write_text

FOLDER = "bad_nodes"
EXPIRES_S = 86400
# With more of them it is rarely the nodes: excluding ever more would leave none.
MOST_EXCLUDED = 8
# how records of cause D begin: job_env.sh's on the node, and the one that is written here
_INTERPRETER = ("preflight 91: ", "D: ")


@dataclass(frozen=True)
class BadNode:
    """A node on which a job could not start."""

    node: str
    time: float
    job: str
    reason: str


def record_bad_node(state: Path, node: str, job: str, reason: str) -> None:
    """Record a node, over an older record of it."""
    write_text(f"{time.time():.0f} {job} {' '.join(reason.split())}\n", state / FOLDER / node, sync=False)


def bad_nodes(state: Path, now: float | None = None, env: Path = Path(sys.prefix)) -> list[BadNode]:
    """Nodes with a record of the last day, the newest first; older records are removed.

    Args:
        env: the environment of the jobs; what it lacked on a node before it was made is not held against the node.
    """
    now = time.time() if now is None else now
    # by the clock of the file system, as records are: a node's own may be wrong
    made = max((stamp.stat().st_mtime for stamp in env.glob(".pins-*")), default=0.0)
    found = []
    for path in (state / FOLDER).glob("[!.]*"):
        try:
            when, job, reason = path.read_text(encoding="utf-8").strip().split(" ", 2)
            stamp, written = float(when), path.stat().st_mtime
        except (OSError, ValueError):
            continue
        if now - stamp > EXPIRES_S:
            path.unlink(missing_ok=True)
        elif written >= made or not reason.startswith(_INTERPRETER):
            found.append(BadNode(path.name, stamp, job, reason))
    return sorted(found, key=lambda bad: (-bad.time, bad.node))


def forget_bad_node(state: Path, node: str, cause: str) -> None:
    """Take a node's record back, if it is of this cause."""
    begins = _INTERPRETER if cause == "D" else f"{cause}: "
    if any(bad.node == node and bad.reason.startswith(begins) for bad in bad_nodes(state)):
        (state / FOLDER / node).unlink(missing_ok=True)


def excluded(failed_on: Sequence[str], bad: Sequence[BadNode], fitting: Mapping[str, bool]) -> list[str]:
    """Nodes that a submission leaves out, never all that fit.

    Args:
        failed_on: nodes that failed earlier attempts of this job, the newest first; left out while another node can be
            used that is no worse.
        bad: recorded nodes, the newest first; at most MOST_EXCLUDED of them are left out.
        fitting: nodes that have what the job asks, and whether they can be used now.
    """
    out: list[str] = []
    recorded = [entry.node for entry in bad if entry.node in fitting]
    for node in failed_on:
        worse = () if node in recorded else recorded
        others = [name for name, usable in fitting.items() if usable and name not in (*out, *worse, node)]
        if node in fitting and node not in out and others:
            out.append(node)
    here = [node for node in recorded if node not in out]
    return sorted(out + here[: max(0, min(MOST_EXCLUDED, len(fitting) - 1 - len(out)))])
