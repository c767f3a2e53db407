"""SLURM's commands, each with a time limit and parsed into plain values. Standard library only."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sociolect.slurm.fitting import Node

TIMEOUT_S = 20.0
# States of a job that will not change any more.
FINAL = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
}
# States of a node that takes no job; the star is that of one that does not answer, `~` of one that boots for a job.
_OUT_OF_USE = re.compile(
    r"^(down|drain|fail|maint|unknown|inval|future|reserved|blocked|powered_down(?!~))|\*$", re.IGNORECASE
)


@dataclass(frozen=True)
class QueuedJob:
    """A job as the controller knows it."""

    job: str
    state: str
    reason: str
    node: str
    elapsed_s: int


@dataclass(frozen=True)
class Step:
    """A job, or one step of it, as the accounting or the controller tells it."""

    step: str
    state: str
    exit_code: str
    node: str
    n_nodes: int
    elapsed_s: int
    time_limit: str
    memory: str
    cpu_time: str = ""
    # when it was suspended or resumed last, in seconds since 1970
    resumed: float = 0.0


def ask(command: Sequence[str], timeout: float = TIMEOUT_S) -> str | None:
    """What a command prints; None if it is not there, fails or takes too long."""
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def plain_state(state: str) -> str:
    """SLURM's state without what it says beside it: `CANCELLED by 1000` is CANCELLED, a trailing + goes."""
    return state.split()[0].rstrip("+") if state.split() else ""


def seconds_of(text: str) -> int:
    """Seconds of SLURM's `[days-]hours:minutes:seconds`; 0 for what is not a time, such as UNLIMITED."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)(?:\.\d+)?", text.strip())
    if not found:
        return 0
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def queue(names: Iterable[str]) -> dict[str, QueuedJob] | None:
    """All jobs of these names that the controller still knows, ended ones included; None if it does not answer."""
    names = list(names)
    if not names:
        return {}
    text = ask(["squeue", "-h", "--states=all", f"--name={','.join(names)}", "-o", "%i|%T|%N|%M|%r"])
    if text is None:
        return None
    jobs = {}
    for line in text.splitlines():
        job, state, node, elapsed, reason = line.strip().split("|", 4)
        jobs[job] = QueuedJob(job, plain_state(state), reason, node, seconds_of(elapsed))
    return jobs


def accounting(jobs: Sequence[str]) -> dict[str, list[Step]]:
    """Job -> the job itself and its steps, from the accounting; empty where there is none."""
    if not jobs:
        return {}
    fields = "JobIDRaw,State,ExitCode,NodeList,NNodes,Elapsed,Timelimit,ReqMem,TotalCPU"
    text = ask(["sacct", "-P", "-n", "-j", ",".join(jobs), "-o", fields])
    found: dict[str, list[Step]] = {}
    for line in (text or "").splitlines():
        step, state, code, node, count, elapsed, limit, memory, cpu = line.split("|")
        node = "" if node == "None assigned" else node
        row = Step(step, state, code, node, int(count or 0), seconds_of(elapsed), limit, memory, cpu)
        found.setdefault(step.split(".")[0], []).append(row)
    return found


def controller(job: str) -> Step | None:
    """A job as the controller remembers it, which is for some minutes after its end; at once, unlike the accounting."""
    text = ask(["scontrol", "show", "job", "-o", job])
    facts = dict(part.split("=", 1) for part in (text or "").split() if "=" in part)
    if "JobState" not in facts:
        return None
    node = facts.get("NodeList", "")
    return Step(
        job,
        facts["JobState"],
        facts.get("ExitCode", ""),
        "" if node == "(null)" else node,
        int(re.match(r"\d*", facts.get("NumNodes", "0")).group() or 0),  # type: ignore[union-attr]
        seconds_of(facts.get("RunTime", "")),
        facts.get("TimeLimit", ""),
        facts.get("MinMemoryNode", "") or facts.get("MinMemoryCPU", ""),
        resumed=_time_of(facts.get("SuspendTime", "")),
    )


def _time_of(text: str) -> float:
    """Seconds since 1970 of SLURM's time on this machine's clock; 0 for what is none."""
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return 0.0


def cancel(jobs: Sequence[str], name: str = "") -> bool:
    """Cancel jobs by id, and only those of this name if it is given; whether SLURM took the call."""
    return not jobs or ask(["scancel", *([f"--name={name}"] if name else []), *jobs], timeout=60) is not None


def nodes_of(
    partition: str, gpu_model: str = "", constraint: str = "", mem_mb: int = 0, cpus: int = 0, gpus: int = 0
) -> dict[str, bool]:
    """A partition's nodes that have all of this, and whether they take jobs; empty if SLURM does not say."""
    text = ask(["sinfo", "-h", "-N", "-o", "%N|%T|%G|%f|%m|%c", *(["-p", partition] if partition else [])])
    found = {}
    for line in sorted((text or "").splitlines()):
        name, state, *has = line.split("|")
        if Node(name, *has).fits(gpu_model, constraint, mem_mb, cpus, gpus):
            found[name] = _OUT_OF_USE.search(state) is None
    return found
