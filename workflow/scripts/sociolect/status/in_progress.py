"""A run as Snakemake's own process knows it, in lines: jobs done, when it ends, what runs and how far."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sociolect.common.heartbeat import overdue_s, read_beat
from sociolect.dag.job_states import JobState, seconds_of
from sociolect.dag.pictures import duration
from sociolect.dag.planned import Job, jobs_of
from sociolect.status.gpus import Gpu, beat_gpu
from sociolect.status.lengths import elapsed_s, estimated_seconds
from sociolect.status.time_left import cores, slurm_places, time_left

BAR = 24


class InProgress:
    """The jobs of a run that goes on: of their states Snakemake's scheduler is asked, of how far they are their
    heartbeats."""

    def __init__(self, workflow: Any, estimate: Path, cluster: bool) -> None:
        self.workflow, self.estimate, self.cluster = workflow, estimate, cluster
        self.jobs = jobs_of(workflow.dag)
        self._own = list(workflow.dag.jobs)
        self._estimated: dict[str, float] = {}
        self._took: dict[int, float | None] = {}
        self._ended: set[int] = set()
        self._old_beats: dict[int, Any] = {}

    def begin(self) -> None:
        """Read what is there before any job of this run has written: beats that killed programs left are not its."""
        self._old_beats = {job.id: self._beat(job).get("time") for job in self.jobs}
        self._took = {job.id: seconds_of(job.benchmark) for job in self.jobs}
        self._estimated = estimated_seconds(self.estimate)

    def states(self) -> list[JobState]:
        """The state of each of `jobs`, now."""
        scheduler = self.workflow.scheduler
        running, failed = set(scheduler.running), set(scheduler.failed)
        return [self._state(job, own, running, failed) for job, own in zip(self.jobs, self._own, strict=True)]

    def lines(self, gpus: Sequence[Gpu], most: int) -> list[RenderableType]:
        """What is to be shown: at most so many lines of jobs, one of the whole run, one for each GPU."""
        now, states = time.time(), self.states()
        pairs = [(job, state) for job, state in zip(self.jobs, states, strict=True) if job.log]
        at_work = sorted((pair for pair in pairs if pair[1].beat), key=lambda pair: -elapsed_s(pair[1], now))
        shown = at_work if len(at_work) <= most else at_work[: most - 1]
        grid = _grid(_job_cells(job, state, now) for job, state in shown)
        more = [Text(f"and {len(at_work) - len(shown)} more")] if len(shown) < len(at_work) else []
        return [self._head(pairs, states, now), *([grid] if shown else []), *more, *(Text(gpu.said) for gpu in gpus)]

    def _head(self, pairs: Sequence[tuple[Job, JobState]], states: Sequence[JobState], now: float) -> Table:
        counts = {word: sum(state.state == word for _, state in pairs) for word in ("done", "failed", "running")}
        lost = _behind(self.jobs, {job.id for job, state in pairs if state.state == "failed"})
        to_come = [(job, state) for job, state in zip(self.jobs, states, strict=True) if job.id not in lost]
        places = slurm_places(counts["running"]) if self.cluster else cores(self.workflow.resource_settings.cores)
        jobs, of_these = [job for job, _ in to_come], [state for _, state in to_come]
        left = time_left(jobs, of_these, self._estimated, places, now)
        words = [f"{counts['failed']} failed" if counts["failed"] else ""]
        words += [f"{counts['running']} at work" if self.cluster else ""]
        if left.high or left.unknown or left.longer:
            words.append(f"{left.said} left")
        words += [f"{left.unknown} of unknown length (make estimate)" if left.unknown else ""]
        done = Text(f"{counts['done']} of {len(pairs)} jobs done", "bold")
        bar = ProgressBar(total=max(1, len(pairs)), completed=counts["done"], width=BAR)
        return _grid([(done, bar, _cut(", ".join(filter(None, words)), "bold red" if counts["failed"] else ""))])

    def _state(self, job: Job, own: Any, running: set[Any], failed: set[Any]) -> JobState:
        if own in failed:
            return JobState("failed")
        if own in running:
            beat = self._beat(job)
            # a job of the cluster may still wait for its turn
            return JobState("running", seconds=self._took[job.id], beat=beat) if beat else self._open(job)
        if job.due and not self.workflow.dag.finished(own):
            return self._open(job)
        if job.due and job.id not in self._ended:
            self._ended.add(job.id)
            self._took[job.id] = seconds_of(job.benchmark)
        return JobState("done", seconds=self._took[job.id])

    def _open(self, job: Job) -> JobState:
        return JobState("to do", seconds=self._took[job.id])

    def _beat(self, job: Job) -> dict[str, Any]:
        beat = read_beat(job.log.with_name(f"{job.log.name}.beat")) if job.log else None
        return beat if beat and "ended" not in beat and beat.get("time") != self._old_beats.get(job.id) else {}


def _behind(jobs: Sequence[Job], lost: set[int]) -> set[int]:
    """These jobs and all that need them: what this run will not come to."""
    found, before = set(lost), -1
    while len(found) > before:
        before = len(found)
        found |= {job.id for job in jobs if found & job.needs}
    return found


def _grid(rows: Iterable[Sequence[RenderableType]]) -> Table:
    """Rows of three cells, each in one line: where the terminal is too narrow, those made by `_cut` give way."""
    grid = Table.grid(padding=(0, 2))
    for row in rows:
        if not grid.columns:
            for cell in row:
                grid.add_column(no_wrap=not (isinstance(cell, Text) and cell.no_wrap), overflow="ellipsis")
        grid.add_row(*row)
    return grid


def _cut(words: str, style: str = "") -> Text:
    # rich takes room from columns that may wrap alone; the words themselves do not
    return Text(words, style, no_wrap=True, overflow="ellipsis")


def _job_cells(job: Job, state: JobState, now: float) -> list[RenderableType]:
    beat = state.beat
    done = f" {beat['done']}/{beat['total']}" if "total" in beat else ""
    rate = f"{beat['rate']:.3g}/s" if "rate" in beat else ""
    left = f"{duration(beat['eta_s'])} left" if beat.get("eta_s") is not None else ""
    silent = "no sign of progress: make why" if overdue_s(beat, now) else ""
    far = ", ".join(filter(None, [f"{beat['stage']}{done}", rate, left, beat_gpu(beat), silent]))
    return [_cut(f"  {job.label}", "cyan"), _cut(far), Text(duration(elapsed_s(state, now)), "dim")]
