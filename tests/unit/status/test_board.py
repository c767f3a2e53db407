"""The table of a run's rules, and the names of what failed."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from sociolect.dag.job_states import JobState
from sociolect.dag.planned import Job
from sociolect.status.board import board, failures, rule_rows


def job(number: int, rule: str, *needs: int, log: bool = True, **wildcards: str) -> Job:
    path = Path("x.log") if log else None
    return Job(number, rule, "sfam", wildcards=wildcards, needs=frozenset(needs), log=path)


# Snakemake's order begins with the target
JOBS = [
    job(0, "all", 6, log=False),
    job(6, "table", 3, 4, 5),
    job(5, "label", 2, part="3"),
    job(4, "label", 2, part="2"),
    job(3, "label", 2, part="1"),
    job(2, "train", 1),
    job(1, "import", 7),
    job(7, "fetch"),
]
STATES = [
    JobState("to do"),
    JobState("to do"),
    JobState("failed", why="do: mend it\nerror: [no] answers"),
    JobState("running"),
    JobState("done", seconds=12.0),
    JobState("done", seconds=100.0),
    JobState("done", seconds=3.0),
    JobState("done", seconds=4.0),
]


def printed(fold: bool) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(board(rule_rows(JOBS, STATES), fold))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return [line.split() for line in lines if line.strip()]


def test_rules_stand_from_the_inputs_on_with_their_jobs_by_state() -> None:
    rows = rule_rows(JOBS, STATES)
    assert [row.rule for row in rows] == ["fetch", "import", "train", "label", "table"]
    assert dict(rows[3].counts) == {"done": 1, "running": 1, "failed": 1} and rows[3].seconds == 12.0


def test_rules_that_are_done_share_a_row() -> None:
    head, _, done, label, table = printed(fold=True)
    assert head == ["rule", "done", "running", "failed", "to", "do", "took"]
    bar = "━" * 20
    assert done == ["3", "rules", "done", bar, "3/3", "107", "s"]
    assert label[0] == "label" and label[2:] == ["1/3", "1", "1", "12", "s"] and 6 <= len(label[1]) <= 7
    assert table == ["table", "0/1", "1"]
    assert [row[0] for row in printed(fold=False)[2:]] == ["fetch", "import", "train", "label", "table"]


def test_what_failed_is_named_with_its_own_word() -> None:
    assert failures(JOBS, STATES) == ["failed: label [3], error: [no] answers"]
