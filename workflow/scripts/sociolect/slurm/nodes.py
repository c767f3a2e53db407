"""Bad nodes: where a job's preflight failed, so that the next submission goes elsewhere.

One small file per node, written by job_env.sh on the node or here: `<seconds since 1970> <job> <reason>`.
A record expires after a day. Standard library only.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sociolect.common.files import write_text

FOLDER = "bad_nodes"
EXPIRES_S = 86400
# With more of them it is rarely the nodes: excluding ever more would leave none.
MOST_EXCLUDED = 8


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


def bad_nodes(state: Path, now: float | None = None) -> list[BadNode]:
    """Nodes with a record of the last day, the newest first; older records are removed."""
    now = time.time() if now is None else now
    found = []
    for path in (state / FOLDER).glob("[!.]*"):
        try:
            when, job, reason = path.read_text(encoding="utf-8").strip().split(" ", 2)
            stamp = float(when)
        except (OSError, ValueError):
            continue
        if now - stamp > EXPIRES_S:
            path.unlink(missing_ok=True)
        else:
            found.append(BadNode(path.name, stamp, job, reason))
    return sorted(found, key=lambda bad: (-bad.time, bad.node))


def excluded(bad: Sequence[BadNode], partition_nodes: Sequence[str]) -> list[str]:
    """Nodes that a submission to a partition excludes: the newest bad ones, capped, and never all of the partition."""
    here = [entry.node for entry in bad if entry.node in set(partition_nodes)]
    return sorted(here[: max(0, min(MOST_EXCLUDED, len(partition_nodes) - 1))])
