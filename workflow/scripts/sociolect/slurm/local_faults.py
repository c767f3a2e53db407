"""What jobs that failed on this machine say themselves: the last line of their program, below rule and log."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from pathlib import Path

from sociolect.common.heartbeat import read_beat
from sociolect.slurm.evidence import Evidence, tail
from sociolect.slurm.runs import Submitted, process_started
from sociolect.slurm.verdicts import Cause, Verdict, explain

# the program's own word, and what no cause fits: there is nothing to add
_PLAIN = ("X", "?")
_DONE = re.compile(r"^[\d:]+ done: \w+ in ")
# a traceback after which the program logged nothing more
_RAISED = re.compile(r"^Traceback \(most recent call last\)(?![\s\S]*^\d\d:\d\d:\d\d )", re.MULTILINE)
# last lines of a log above the program's own word
CONTEXT = 4
# the table's remedies for them are about jobs of a cluster, and for jobs with a word of their own
_FOR_KILLED = (
    "its memory ran out, most likely (`dmesg | tail` says so): close other programs, or let fewer jobs run at once "
    "(CORES=1); the same command goes on where it was"
)
_FOR_RAISED = "no known fault of a file or a key: run the same command again; if it fails again, report it with the log"


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


def fault_of(
    log: Path,
    job: tuple[str, str],
    causes: Sequence[Cause],
    since: float = 0.0,
    missing: Sequence[str] = (),
    context: bool = False,
) -> str:
    """Which job failed, what to do where that is known, and last its own word as a line `error: ...`.

    Args:
        log: the rule's log.
        job: rule and wildcards.
        causes: the table of causes.
        since: when the run began; an older log is that of an earlier one.
        missing: its outputs that are not there.
        context: with the last lines of the log, where its own word alone does not say what to mend.
    """
    fresh = log.is_file() and log.stat().st_mtime >= since
    beat = (read_beat(log.with_name(f"{log.name}.beat")) if fresh else None) or {}
    sent = Submitted("-", "", *job, log=str(log), slurm_log=str(log))
    # an empty SLURM log: what is known of a job without one is about SLURM
    rule_log = tail(log) if fresh else None
    entry = Evidence(sent, "FAILED", node="this machine", slurm_log="", rule_log=rule_log, beat=beat)
    raised, killed = bool(_RAISED.search(rule_log or "")), _was_killed(entry)
    lines = [f"failed: {sent.label}, log {log}"]
    if context and (raised or killed):
        lines += _context(rule_log or "", entry.last_line)
    lines += [f"do: {remedy}" for remedy in [_remedy(explain(entry, causes), raised, killed)] if remedy]
    if not beat and _DONE.search(entry.last_line):
        return "\n".join([*lines, f"error: it ended well and did not write {', '.join(missing) or 'its outputs'}"])
    return "\n".join([*lines, _own_word(entry)])


def _was_killed(entry: Evidence) -> bool:
    """By SIGKILL, alone or with the process that would have written that down."""
    return bool(entry.beat and "ended" not in entry.beat) or entry.last_line.startswith("error: killed by SIGKILL")


def _context(rule_log: str, last: str) -> list[str]:
    """The last lines of a log as they stand there, without those that its last word says again."""
    lines = [line for line in rule_log.splitlines() if line.strip() and not line.startswith("[start]")]
    return [f"  | {line}" for line in [line for line in lines if line not in last][-CONTEXT:]]


def _remedy(verdict: Verdict, raised: bool, killed: bool) -> str:
    if killed:
        return _FOR_KILLED
    if verdict.cause not in _PLAIN:
        return verdict.remedy
    return _FOR_RAISED if raised else ""


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
