"""A good and a bad job of one run side by side: what differs is what to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.table import Table

from sociolect.common.errors import InputError
from sociolect.slurm.evidence import Evidence

_FACT = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")


def facts_of(entry: Evidence) -> dict[str, str]:
    """What one job was given and how far it came, in the order in which it happened."""
    facts = {
        "job": entry.submitted.job,
        "what": entry.submitted.label,
        "state": entry.state_said,
        "exit": entry.exit_code,
        "node": entry.node,
        "seconds": str(entry.elapsed_s),
        "memory": entry.memory,
        "time limit": entry.time_limit,
    }
    for line in entry.text.splitlines():
        if line.startswith("[start] "):
            prefix = "program: " if "program=" in line else ""
            facts |= {prefix + name: value for name, value in _FACT.findall(line.removeprefix("[start] "))}
    facts |= {f"step {step.step.partition('.')[2]}": f"{step.state} {step.exit_code}" for step in entry.steps[1:]}
    return facts | {"stage reached": entry.stage, "last line": entry.last_line}


def comparison(evidence: Sequence[Evidence], jobs: Sequence[str]) -> Table:
    """Table of both jobs' facts; those that differ are marked.

    Raises:
        InputError: one of the jobs is not of this run.
    """
    found = {entry.submitted.job: facts_of(entry) for entry in evidence}
    if missing := [job for job in jobs if job not in found]:
        raise InputError(f"job {missing[0]} is not of the newest run; name the run: make why RUN_ID=<name>")
    first, second = (found[job] for job in jobs)
    table = Table("", "fact", *(f"job {job}" for job in jobs))
    for name in dict.fromkeys([*first, *second]):
        a, b = first.get(name, "-"), second.get(name, "-")
        table.add_row("" if a == b else "differs", name, a, b)
    return table
