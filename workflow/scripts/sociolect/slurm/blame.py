"""Which nodes are recorded as bad: those at fault, and no healthy one for a fault of the disk that all nodes share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sociolect.common.files import write_text
from sociolect.slurm.evidence import Evidence
from sociolect.slurm.nodes import forget_bad_node, record_bad_node
from sociolect.slurm.room import write_fault
from sociolect.slurm.verdicts import ALONE, Cause, Verdict, explain

# what a disk that all nodes share looks like
_OF_DISKS = ("E", "AI")
_SHARED = (
    "no node's fault: the disk or your quota is full, or the file system is away; look at `df -h .` and `quota -s`; "
    "the same command goes on where it was"
)


def blame_nodes(run: Path, failed: Sequence[Evidence], causes: Sequence[Cause]) -> None:
    """Record the nodes of failed jobs where the cause lies with the node: the next submissions go elsewhere."""
    for entry in failed:
        verdict = explain(entry, causes)
        if not verdict.blames_node or not verdict.node or "," in verdict.node or "[" in verdict.node:
            continue
        # what a node alone may be blamed for is tried from here first
        if verdict.blames_node == ALONE and write_fault(Path(entry.submitted.slurm_log).parent) is not None:
            continue
        state, reason = run.parents[1], f"{verdict.cause}: {verdict.title}"
        if verdict.blames_node == ALONE and len(shared := _seen(run, verdict)) > 1:
            for node in shared:
                forget_bad_node(state, node, verdict.cause)
            continue
        record_bad_node(state, verdict.node, verdict.job, reason)


def _seen(run: Path, verdict: Verdict) -> list[str]:
    """Nodes on which jobs of this run failed in this way, this one included."""
    path = run / "alone.json"
    seen: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    nodes = sorted({*seen.get(_way(verdict), []), verdict.node})
    write_text(json.dumps({**seen, _way(verdict): nodes}), path, sync=False)
    return nodes


def _way(verdict: Verdict) -> str:
    """Cause and title but for the node: one letter stands for several faults, such as of signals."""
    return f"{verdict.cause} {verdict.title.replace(verdict.node, '')}"


def acquit(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """What failed on more than one node, by a cause for which one alone can be blamed, is no node's fault."""
    nodes: dict[str, set[str]] = {}
    for verdict in verdicts:
        if verdict.blames_node == ALONE:
            nodes.setdefault(_way(verdict), set()).add(verdict.node)
    acquitted = []
    for verdict in verdicts:
        shared = sorted(nodes.get(_way(verdict), ()))
        if verdict.blames_node == ALONE and len(shared) > 1:
            remedy = _SHARED if verdict.cause in _OF_DISKS else f"no node's fault alone; {verdict.remedy}"
            title = f"{verdict.title}; the same on {', '.join(shared)}"
            verdict = replace(verdict, title=title, remedy=remedy, blames_node=False)
        acquitted.append(verdict)
    return acquitted
