"""What jobs that failed on this machine say themselves: the last line of their program, below rule and log."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from sociolect.common.heartbeat import read_beat
from sociolect.slurm.evidence import Evidence, tail
from sociolect.slurm.runs import Submitted, process_started
from sociolect.slurm.verdicts import Cause, explain

# the program's own word, and what no cause fits: there is nothing to add
_PLAIN = ("X", "?")


def failed_logs(results: Path, since: float) -> dict[Path, tuple[str, str]]:
    """Logs of the programs that failed on this machine since then, or were killed, by the heartbeats they left; with
    rule and wildcards."""
    logs = {}
    for path in sorted(results.glob("*/logs/**/*.beat")):
        beat = read_beat(path)
        if beat is None or beat.get("job") or float(beat["time"]) < since:
            continue
        killed = beat["host"] == socket.gethostname() and process_started(int(beat["pid"])) < 0
        if beat.get("ended") == "failed" or killed:
            log = path.with_suffix("")
            _, _, rule, *wildcards = log.relative_to(results).with_suffix("").parts
            logs[log] = rule, "/".join(wildcards)
    return logs


def fault_of(log: Path, job: tuple[str, str], causes: Sequence[Cause], since: float = 0.0) -> str:
    """Which job failed, what to do where that is known, and last its own word as a line `error: ...`.

    Args:
        log: the rule's log.
        job: rule and wildcards.
        causes: the table of causes.
        since: when the run began; an older log is that of an earlier one.
    """
    fresh = log.is_file() and log.stat().st_mtime >= since
    beat = (read_beat(log.with_name(f"{log.name}.beat")) if fresh else None) or {}
    sent = Submitted("-", "", *job, log=str(log), slurm_log=str(log))
    entry = Evidence(sent, "FAILED", node="this machine", rule_log=tail(log) if fresh else None, beat=beat)
    verdict = explain(entry, causes)
    lines = [f"failed: {sent.label}, log {log}"]
    if verdict.cause not in _PLAIN:
        lines.append(f"do: {verdict.remedy}")
    return "\n".join([*lines, _own_word(entry)])


def _own_word(entry: Evidence) -> str:
    last = entry.last_line
    if last.startswith("error: "):
        return last
    if entry.beat and "ended" not in entry.beat:
        return (
            f"error: the program was killed in stage {entry.stage}, perhaps for want of memory; its log ends: "
            f"{last or 'without a word'}"
        )
    return f"error: {last}" if last else "error: its program did not begin; Snakemake's lines say why (.snakemake/log)"
