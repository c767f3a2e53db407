"""What is known of one submission: SLURM's word on the job and its steps, its SLURM log, its rule's log, its heartbeat.

job_env.sh copies the ends of the rule's log and the heartbeat into the SLURM log of a job that fails, since a retry
writes over both. Standard library only.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sociolect.common.heartbeat import overdue_s, read_beat
from sociolect.slurm.commands import QueuedJob, Step, controller, plain_state
from sociolect.slurm.file_clock import age_s
from sociolect.slurm.last_word import final_words, last_word
from sociolect.slurm.runs import Submitted

TAIL_BYTES = 200_000
# A job that runs and whose program has not said a word by then is stuck before it.
SILENT_START_S = 300
# nobody who knows has answered
UNKNOWN = "UNKNOWN"
_START = re.compile(r"^\[start\] (.*)$", re.MULTILINE)
_END = re.compile(r"^\[end\] .*\brc=(\d+)", re.MULTILINE)
_BEAT = re.compile(r"^\[heartbeat\] (\{.*\})$", re.MULTILINE)


@dataclass(frozen=True)
class Evidence:
    """All that is known of one submission."""

    submitted: Submitted
    state: str
    state_said: str = ""
    exit_code: str = ""
    node: str = ""
    n_nodes: int = 0
    elapsed_s: int = 0
    time_limit: str = ""
    memory: str = ""
    reason: str = ""
    steps: tuple[Step, ...] = ()
    slurm_log: str | None = None
    rule_log: str | None = None
    beat: dict[str, Any] = field(default_factory=dict)
    missing: str = ""
    now: float = 0.0

    @property
    def running(self) -> bool:
        """Whether the job holds its nodes."""
        return self.state in ("RUNNING", "COMPLETING", "SUSPENDED")

    @property
    def text(self) -> str:
        """Everything that was printed, for the patterns of the causes."""
        return "\n".join(part for part in (self.slurm_log, self.rule_log) if part)

    @cached_property
    def end(self) -> str:
        """What was printed that can have ended the job: the program's own last words, or everything if it has none."""
        return final_words(self.slurm_log or "", self.rule_log or "") or self.text

    @property
    def started(self) -> bool:
        """Whether the rule's program said that it starts."""
        return bool(self.beat) or "[start] program=" in self.text

    @property
    def stage(self) -> str:
        """The stage reached, from the batch script to the program's own stages."""
        if self.beat:
            done = f" {self.beat['done']}/{self.beat['total']}" if "total" in self.beat else ""
            return str(self.beat["stage"]) + done
        if self.started:
            return "exec"
        starts = _START.findall(self.slurm_log or "")
        if not starts:
            return "before the job's first line"
        return "preflight" if "[preflight" in (self.slurm_log or "") else "Snakemake in the job"

    @property
    def overdue(self) -> float:
        """Seconds that a running job is beyond the limit of its stage without a sign of progress."""
        # what is suspended, or over and cleaned up behind, makes no progress and is no hang
        if self.state != "RUNNING":
            return 0.0
        if self.beat:
            return overdue_s(self.beat, self.now)
        return max(0.0, float(self.elapsed_s - SILENT_START_S)) if not self.started else 0.0

    @property
    def last_line(self) -> str:
        """What is most worth reading, of the program or of what started it."""
        return last_word(self.slurm_log or "", self.rule_log or "")


def end_code(slurm_log: str | None) -> int | None:
    """Exit code that job_env.sh wrote at the job's end; None if it did not get to it."""
    found = _END.findall(slurm_log or "")
    return int(found[-1]) if found else None


def gather(
    submitted: Submitted,
    queued: QueuedJob | None,
    steps: Sequence[Step] = (),
    now: float | None = None,
    ask_controller: bool = True,
    otherwise: str = UNKNOWN,
) -> Evidence:
    """Put together what is known of a submission.

    Args:
        queued: the controller's word in the queue, if it still knows the job.
        steps: the accounting's word, the job first; empty where there is no accounting.
        now: time to judge progress by, in seconds since 1970.
        ask_controller: ask for the one job, since the accounting lags behind; not while many are watched.
        otherwise: the state, where neither controller nor accounting nor the job's own last line tells one.
    """
    # the accounting is some seconds late, and says less of a job that has just ended
    top = (controller(submitted.job) if ask_controller else None) or (steps[0] if steps else None)
    slurm_log = tail(Path(submitted.slurm_log)) if submitted.slurm_log else None
    code = end_code(slurm_log)
    own = otherwise if code is None else "FAILED" if code else "COMPLETED"
    state = queued.state if queued else plain_state(top.state) if top else own
    now = time.time() if now is None else now
    rule_log, beat = _live(submitted, now)
    if kept := _BEAT.findall(slurm_log or ""):
        with suppress(ValueError):
            beat = json.loads(kept[-1])
    if beat and top:
        beat = beat | {"time": max(float(beat["time"]), top.resumed)}
    return Evidence(
        submitted,
        state,
        state_said=steps[0].state if steps else top.state if top else state,
        exit_code=top.exit_code if top else "",
        node=(top.node if top else "") or (queued.node if queued else ""),
        n_nodes=top.n_nodes if top else 0,
        elapsed_s=queued.elapsed_s if queued else top.elapsed_s if top else 0,
        time_limit=top.time_limit if top else "",
        memory=top.memory if top else "",
        reason=queued.reason if queued else "",
        steps=tuple(steps),
        slurm_log=slurm_log,
        rule_log=rule_log,
        beat=beat,
        now=now,
    )


def _live(submitted: Submitted, now: float) -> tuple[str | None, dict[str, Any]]:
    """The rule's log and heartbeat, if they are this submission's and not a retry's."""
    if not submitted.log:
        return None, {}
    log = Path(submitted.log)
    beat = read_beat(path := log.with_name(log.name + ".beat")) or {}
    if beat:
        # the node's clock may be minutes off
        beat["time"] = now - age_s(path)
    try:
        with log.open(encoding="utf-8", errors="replace") as stream:
            first = stream.readline()
    except OSError:
        return None, {}
    theirs = first.startswith("[start]") and f"job={submitted.job} " not in first
    return None if theirs else tail(log), beat if beat.get("job") == submitted.job else {}


def tail(path: Path) -> str | None:
    """The end of a file; None where there is none."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - TAIL_BYTES))
            return stream.read().decode("utf-8", errors="replace")
    except OSError:
        return None
