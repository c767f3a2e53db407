"""Why a job did not do its work: the first cause of profiles/slurm/causes.yaml that fits the evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from sociolect.common.errors import InputError
from sociolect.slurm.evidence import Evidence
from sociolect.slurm.last_word import own_lines
from sociolect.slurm.packages import foreign_code, only_there

# A node is blamed only while no other one fails in the same way.
ALONE: Literal["alone"] = "alone"
_DUMP = re.compile(r"^Timeout \((?P<after>[\d:]+)\)!$(?P<stack>.*)", re.MULTILINE | re.DOTALL)
_FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<name>\S+)$', re.MULTILINE)


class Cause(BaseModel):
    """One row of the table: it fits if all the conditions that it gives do.

    `log` is searched in all that the job printed, with `last` in the program's own last words if it has any; `state`,
    `step` (the states of its steps), `exit` and `reason` in SLURM's words; `fact` names something worked out from the
    evidence (FACTS). Named groups of the patterns, and the fields of the job, can stand in title and remedy as {name}.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    remedy: str
    log: str = ""
    last: bool = False
    state: str = ""
    step: str = ""
    exit: str = ""
    reason: str = ""
    fact: str = ""
    running: bool = False
    blames_node: bool | Literal["alone"] = False

    @field_validator("log", "state", "step", "exit", "reason")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return value

    @field_validator("fact")
    @classmethod
    def _is_fact(cls, value: str) -> str:
        if value and value not in FACTS:
            raise ValueError(f"unknown fact {value!r}; known are {', '.join(FACTS)}")
        return value

    @model_validator(mode="after")
    def _has_condition(self) -> Cause:
        if not (self.log or self.state or self.step or self.exit or self.reason or self.fact):
            raise ValueError("fits every job; give log, state, step, exit, reason or fact")
        return self


@dataclass(frozen=True)
class Verdict:
    """One job, what happened to it, and what to do."""

    job: str
    label: str
    attempt: int
    node: str
    stage: str
    state: str
    cause: str
    title: str
    remedy: str
    blames_node: bool | Literal["alone"] = False

    def line(self) -> str:
        """All of it in one line."""
        where = f"on {self.node}" if self.node else "on no node yet"
        return (
            f"{self.label}: job {self.job}, attempt {self.attempt}, {where}, {self.state}, stage: {self.stage}. "
            f"Cause {self.cause}: {self.title}. Do: {self.remedy}"
        )


def read_causes(path: Path) -> list[Cause]:
    """The table of a file, in its order.

    Raises:
        InputError: the file is missing or is not such a table; the message names the entry.
    """
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path}: no table of causes ({error})") from error
    if not isinstance(table, dict) or not isinstance(table.get("causes"), list):
        raise InputError(f"{path}: wants a key `causes:` with a list of entries")
    causes = []
    for number, entry in enumerate(table["causes"], 1):
        try:
            causes.append(Cause.model_validate(entry))
        except ValidationError as error:
            first = error.errors()[0]
            name = entry.get("id", "without id") if isinstance(entry, dict) else entry
            key = ".".join(str(part) for part in first["loc"]) or "entry"
            raise InputError(f"{path}: entry {number} ({name}): {key}: {first['msg']}") from error
    return causes


def explain(evidence: Evidence, causes: Iterable[Cause]) -> Verdict:
    """The first cause that fits; `?` with the last line of the job's output if none does."""
    for cause in causes:
        if (found := _fits(cause, evidence)) is not None:
            fields = _fields(evidence) | found
            return _verdict(
                evidence, cause.id, _fill(cause.title, fields), _fill(cause.remedy, fields), cause.blames_node
            )
    title = evidence.last_line or "no word in any log"
    return _verdict(evidence, "?", title, f"read {evidence.submitted.slurm_log}")


def fold_bad_nodes(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Cause S: what failed twice or more on one node, by a fault of the node, is the node eating the retries."""
    blamed: dict[tuple[str, str], int] = {}
    for verdict in verdicts:
        if verdict.blames_node:
            blamed[verdict.label, verdict.node] = blamed.get((verdict.label, verdict.node), 0) + 1
    folded = []
    for verdict in verdicts:
        times = blamed.get((verdict.label, verdict.node), 0)
        if verdict.blames_node and times > 1:
            title = f"{verdict.node} failed {times} attempts of this job ({verdict.cause}: {verdict.title})"
            verdict = replace(verdict, cause="S", title=title)
        folded.append(verdict)
    return folded


def _verdict(
    evidence: Evidence, cause: str, title: str, remedy: str, blames: bool | Literal["alone"] = False
) -> Verdict:
    sent = evidence.submitted
    state = evidence.state
    return Verdict(
        sent.job, sent.label, sent.attempt, evidence.node, evidence.stage, state, cause, title, remedy, blames
    )


def _fits(cause: Cause, evidence: Evidence) -> dict[str, str] | None:
    if evidence.running and not (cause.running or cause.fact == "overdue"):
        return None
    if bool(cause.reason) != (evidence.state == "PENDING"):
        return None
    found: dict[str, str] = {}
    codes = " ".join([evidence.exit_code, *(step.exit_code for step in evidence.steps)])
    for pattern, text in (
        (cause.log, evidence.end if cause.last else evidence.text),
        (cause.state, f"{evidence.state} {evidence.state_said}"),
        (cause.step, " ".join(step.state for step in evidence.steps)),
        (cause.exit, codes),
        (cause.reason, evidence.reason),
    ):
        if pattern:
            match = re.search(pattern, text, re.MULTILINE)
            if match is None:
                return None
            found |= {name: value.strip() for name, value in match.groupdict().items() if value}
    if cause.fact:
        fact = FACTS[cause.fact](evidence)
        if fact is None:
            return None
        found |= fact
    return found


def _fields(evidence: Evidence) -> dict[str, str]:
    sent = evidence.submitted
    return {
        "job": sent.job,
        "rule": sent.rule,
        "label": sent.label,
        "node": evidence.node or "-",
        "stage": evidence.stage,
        "state": evidence.state_said,
        "limit": evidence.time_limit or "-",
        "memory": evidence.memory or "-",
        "partition": sent.partition or "-",
        "reason": evidence.reason or "-",
        "exit": evidence.exit_code or "-",
        "slurm_log": sent.slurm_log or "-",
        "log": sent.log or "-",
        "last": evidence.last_line,
    }


def _fill(text: str, fields: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: fields.get(match[1], "-"), " ".join(text.split()))


def _slow_import(evidence: Evidence) -> dict[str, str] | None:
    """The watchdog's dump of the stack: the import that did not come back, and the program's line that asked for it."""
    dump = _DUMP.search(evidence.text)
    if dump is None:
        return None
    frames = [match.groupdict() for match in _FRAME.finditer(dump["stack"])]
    frames = [frame for frame in frames if not frame["file"].startswith("<")]
    deepest = frames[0]["file"] if frames else "-"
    asked = next((f for f in frames if "/workflow/scripts/" in f["file"] and f["name"] == "<module>"), None)
    by = f"{Path(asked['file']).name}, line {asked['line']}" if asked else "-"
    return {"after": dump["after"], "deepest": deepest, "asked_by": by}


def _silent(evidence: Evidence) -> dict[str, str] | None:
    """The rule ran and its log is there and empty: what it printed was still in its buffer."""
    ran = any(re.fullmatch(r"\d+\.\d+", step.step) for step in evidence.steps) or "[start]" in (
        evidence.slurm_log or ""
    )
    return {} if ran and evidence.rule_log is not None and not evidence.rule_log.strip() else None


def _overdue(evidence: Evidence) -> dict[str, str] | None:
    """A running job without a sign of progress for longer than its stage may take."""
    if evidence.overdue <= 0:
        return None
    since = evidence.now - float(evidence.beat["time"]) if evidence.beat else evidence.elapsed_s
    return {"minutes": f"{since / 60:.0f} min" if since >= 90 else f"{since:.0f} s"}


def _no_output(evidence: Evidence) -> dict[str, str] | None:
    """Snakemake found no output of a job that SLURM calls completed."""
    return {"said": evidence.missing} if evidence.missing else None


def _wordless(evidence: Evidence) -> dict[str, str] | None:
    """The program has not printed a word below its start line."""
    return None if own_lines(evidence.slurm_log or "", evidence.rule_log or "") else {}


def _never_ran(evidence: Evidence) -> dict[str, str] | None:
    """The job got a node, and there is no SLURM log at all."""
    return {} if evidence.node and evidence.slurm_log is None else None


# What a cause can ask for by `fact:`, beyond patterns.
FACTS = {
    "slow_import": _slow_import,
    "silent": _silent,
    "overdue": _overdue,
    "no_log": _never_ran,
    "no_output": _no_output,
    "wordless": _wordless,
    "foreign_code": lambda evidence: foreign_code(evidence.text),
    "only_there": lambda evidence: only_there(evidence.text, evidence.submitted.time),
}
