"""The board of a run: a table of its rules with their jobs by state, what runs, and what failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from rich import box
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sociolect.dag.job_states import JobState
from sociolect.dag.pictures import duration
from sociolect.dag.planned import Job

BAR = 20
_STYLES = {"done": "", "running": "blue", "failed": "bold red", "rerun": "yellow", "to do": ""}
_COLUMNS = tuple(_STYLES)


@dataclass
class RuleRow:
    """Jobs of a rule by state, and what those that ended took, one after the other."""

    rule: str
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """All of its jobs."""
        return sum(self.counts.values())


def rule_rows(jobs: Sequence[Job], states: Sequence[JobState]) -> list[RuleRow]:
    """A row per rule, from the inputs on; a target is none."""
    depth: dict[int, int] = {}
    needs = {job.id: job.needs for job in jobs}
    for number in TopologicalSorter(needs).static_order():
        depth[number] = 1 + max((depth[needed] for needed in needs[number]), default=0)
    rows: dict[str, RuleRow] = {}
    for job, state in sorted(zip(jobs, states, strict=True), key=lambda pair: (depth[pair[0].id], pair[0].rule)):
        if job.log:
            row = rows.setdefault(job.rule, RuleRow(job.rule))
            row.counts[state.state] += 1
            row.seconds += (state.seconds or 0.0) if state.state == "done" else 0.0
    return list(rows.values())


def board(rows: Sequence[RuleRow], fold: bool = True) -> Table:
    """The table; rules of which all jobs are done share its first row, those that have not begun its last."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("rule", no_wrap=True)
    table.add_column("", width=BAR)
    shown = [name for name in _COLUMNS if name == "done" or any(row.counts[name] for row in rows)]
    for name in (*shown, "took"):
        table.add_column(name, justify="right", no_wrap=True)
    done = [row for row in rows if fold and row.counts["done"] == row.total]
    to_come = [row for row in rows if fold and row.counts["rerun"] + row.counts["to do"] == row.total]
    between = [row for row in rows if row not in done and row not in to_come]
    for row in (*_folded(done, "done"), *between, *_folded(to_come, "to come")):
        cells = [Text(f"{row.counts['done']}/{row.total}")]
        cells += [Text(str(row.counts[state] or ""), _STYLES[state]) for state in shown[1:]]
        bar = ProgressBar(total=row.total, completed=row.counts["done"], width=BAR)
        table.add_row(Text(row.rule), bar, *cells, duration(row.seconds) if row.seconds else "")
    return table


def failures(jobs: Sequence[Job], states: Sequence[JobState]) -> list[str]:
    """A line for each job that failed: its name and its own last word."""
    return [
        f"failed: {job.label}, {state.why.rpartition(chr(10))[2]}"
        for job, state in zip(jobs, states, strict=True)
        if state.state == "failed"
    ]


def _folded(rows: Sequence[RuleRow], word: str) -> list[RuleRow]:
    """One row for several."""
    if len(rows) < 2:
        return list(rows)
    one = RuleRow(f"{len(rows)} rules {word}", seconds=sum(row.seconds for row in rows))
    for row in rows:
        for state, count in row.counts.items():
            one.counts[state] += count
    return [one]
