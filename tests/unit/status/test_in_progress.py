"""What the lines of a run say: all of it from Snakemake's sets and from heartbeats that are this run's."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from sociolect.common.heartbeat import write_beat
from sociolect.dag.planned import Job
from sociolect.status import in_progress
from sociolect.status.gpus import Gpu
from sociolect.status.in_progress import InProgress


class Dag(SimpleNamespace):
    """The finished jobs of Snakemake's graph."""

    def finished(self, job: Any) -> bool:
        return job in self.over


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[InProgress, Any]:
    """import done before, two shards of label, a table that needs both, and the target."""

    def job(number: int, rule: str, *needs: int, due: bool = True, **wildcards: str) -> Job:
        name = "-".join([rule, *wildcards.values()])
        paths = (None, None) if rule == "all" else (tmp_path / f"{name}.log", tmp_path / f"{name}.tsv")
        return Job(number, rule, "", wildcards, frozenset(needs), due, not due, "", "", *paths)

    jobs = [
        job(0, "import", due=False),
        job(1, "label", 0, part="1"),
        job(2, "label", 0, part="2"),
        job(3, "table", 1, 2),
        job(4, "all", 3),
    ]
    (tmp_path / "table.tsv").write_text("s\th:m:s\n30.0\t0:00:30\n")
    workflow = SimpleNamespace(
        dag=Dag(jobs=[job.label for job in jobs], over=set()),
        scheduler=SimpleNamespace(running=set(), failed=set()),
        resource_settings=SimpleNamespace(cores=1),
    )
    monkeypatch.setattr(in_progress, "jobs_of", lambda dag: jobs)
    progress = InProgress(workflow, tmp_path / "none.parquet", cluster=False)
    return progress, workflow


def said(progress: InProgress, *gpus: Gpu, most: int = 9, width: int = 120) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for line in progress.lines(gpus, most):
        console.print(line)
    return [line.strip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_jobs_go_from_to_do_to_done(run: tuple[InProgress, Any], tmp_path: Path) -> None:
    progress, workflow = run
    # left by a program that was killed in an earlier run
    write_beat(tmp_path / "label-1.log.beat", "old", done=1, total=2)
    progress.begin()
    workflow.scheduler.running = {"label [1]"}
    # Snakemake calls it running, its program has not begun
    [head] = said(progress)
    assert head.startswith("1 of 4 jobs done")
    assert head.endswith("at least 30 s left, 2 of unknown length (make estimate)")
    now = time.time()
    write_beat(tmp_path / "label-1.log.beat", "teacher", began=now - 40, done=3, total=4, rate=0.1, eta_s=10.0)
    head, line, gpu = said(progress, Gpu("0", "H100", 87, None, None))
    # its own 10 s, the other shard nobody knows, the table as before
    assert "at least 40 s left" in head
    assert re.fullmatch("label .1. +teacher 3/4, 0.1/s, 10 s left +40 s", line) and gpu == "GPU 0, H100: 87 %"
    (tmp_path / "label-1.tsv").write_text("s\th:m:s\n50.0\t0:00:50\n")
    workflow.scheduler.running, workflow.dag.over = {"label [2]"}, {"label [1]"}
    [head] = said(progress)
    assert head.startswith("2 of 4 jobs done") and head.endswith("about 80 s left")


def test_what_needs_a_failed_job_is_not_waited_for(run: tuple[InProgress, Any], tmp_path: Path) -> None:
    progress, workflow = run
    (tmp_path / "label-2.tsv").write_text("s\th:m:s\n5.0\t0:00:05\n")
    progress.begin()
    workflow.scheduler.failed = {"label [1]"}
    [head] = said(progress)
    # the other shard alone: the table needs both
    assert head.endswith("1 failed, about 5.0 s left")


def test_many_jobs_are_counted_beyond_the_last_line(run: tuple[InProgress, Any], tmp_path: Path) -> None:
    progress, workflow = run
    progress.begin()
    workflow.scheduler.running = {"label [1]", "label [2]", "table"}
    for name in ("label-1", "label-2", "table"):
        write_beat(tmp_path / f"{name}.log.beat", "begin", began=time.time() - 3)
    lines = said(progress, most=2)
    assert len(lines) == 3 and lines[1].startswith("label [1]") and lines[2] == "and 2 more"


def test_on_a_narrow_terminal_words_give_way_and_numbers_stay(run: tuple[InProgress, Any], tmp_path: Path) -> None:
    progress, workflow = run
    progress.begin()
    workflow.scheduler.running = {"label [1]"}
    write_beat(tmp_path / "label-1.log.beat", "teacher", began=time.time() - 40, done=3, total=4, rate=0.1, eta_s=10.0)
    head, line = said(progress, width=60)
    assert head.startswith("1 of 4 jobs done ") and head.endswith("…") and len(head) == 60
    assert line.startswith("label [1] ") and line.endswith(" 40 s")
    head, line = said(progress, width=30)
    assert head.startswith("1 of 4") and "…" in line and line.endswith(" 40 s")
