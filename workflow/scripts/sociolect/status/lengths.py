"""How long each job that is left will take: as long as before, as others of its rule, as estimated, or nobody knows."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from sociolect.dag.job_states import JobState
from sociolect.dag.planned import Job

# what a length rests on
TOOK, ESTIMATED, UNKNOWN, LONGER = "took", "estimated", "unknown", "longer than expected"


@dataclass(frozen=True)
class Length:
    """Seconds that a job still takes, from `low` to `high`, and what they rest on; of those that nobody knows, and of a
    job that takes longer than expected, there is no highest."""

    low: float
    high: float
    rests_on: str


def lengths_left(
    jobs: Sequence[Job], states: Sequence[JobState], estimated: Mapping[str, float], now: float
) -> dict[int, Length]:
    """By job, of those that are not done; what a running one has had is taken off.

    The mean of the rule's jobs that ended comes before the estimate. That one is corrected by what all jobs that ended
    took against it, and the range has both: the correction may not hold for other rules.

    Args:
        jobs: of the run.
        states: of these jobs.
        estimated: seconds of a job by rule, where they were estimated.
        now: the time.
    """
    took: dict[str, list[float]] = defaultdict(list)
    for job, state in zip(jobs, states, strict=True):
        if state.seconds is not None:
            took[job.rule].append(state.seconds)
    factor = correction(took, estimated)
    found = {}
    for job, state in zip(jobs, states, strict=True):
        if state.state != "done":
            # a target has no log and does nothing
            length = _whole(job, state, took, estimated, factor) if job.log else Length(0.0, 0.0, TOOK)
            found[job.id] = _rest(length, state, now) if state.beat else length
    return found


def correction(took: Mapping[str, Sequence[float]], estimated: Mapping[str, float]) -> float | None:
    """Seconds that jobs took over those estimated for them; None before any that was estimated has ended."""
    both = [(sum(seconds), estimated[rule] * len(seconds)) for rule, seconds in took.items() if estimated.get(rule)]
    return sum(own for own, _ in both) / sum(said for _, said in both) if both else None


def estimated_seconds(estimate: Path) -> dict[str, float]:
    """Seconds of a job by rule, by an estimate's file; none where there is no file."""
    if not estimate.is_file():
        return {}
    # polars takes its time to import, and few look at a run that was estimated
    from sociolect.common.artifacts import read_table
    from sociolect.common.schemas import ESTIMATE

    hours: dict[str, float] = defaultdict(float)
    jobs: dict[str, int] = defaultdict(int)
    for row in read_table(estimate, ESTIMATE).iter_rows(named=True):
        hours[row["rule"]] += row["hours"]
        jobs[row["rule"]] += row["jobs"]
    return {rule: 3600 * hours[rule] / jobs[rule] for rule in hours if jobs[rule]}


def elapsed_s(state: JobState, now: float) -> float:
    """Seconds since the program of a running job began."""
    heard = float(state.beat.get("time", now))
    # two times of the node's own clock, then what has passed since
    return max(0.0, heard - float(state.beat.get("began", heard))) + max(0.0, now - heard)


def _whole(
    job: Job,
    state: JobState,
    took: Mapping[str, Sequence[float]],
    estimated: Mapping[str, float],
    factor: float | None,
) -> Length:
    if state.seconds is not None:
        return Length(state.seconds, state.seconds, TOOK)
    if seconds := took.get(job.rule):
        return Length(mean(seconds), mean(seconds), TOOK)
    if job.rule in estimated:
        both = estimated[job.rule], estimated[job.rule] * (1.0 if factor is None else factor)
        return Length(min(both), max(both), ESTIMATED)
    return Length(0.0, math.inf, UNKNOWN)


def _rest(length: Length, state: JobState, now: float) -> Length:
    """What is left of a running job. Its own word is about the stage that it is in: others may follow."""
    had = elapsed_s(state, now)
    low, high = max(0.0, length.low - had), max(0.0, length.high - had)
    if (own := state.beat.get("eta_s")) is not None:
        low = max(0.0, float(own) - max(0.0, now - float(state.beat.get("time", now))))
        return Length(low, max(low, high), length.rests_on)
    return Length(low, high, length.rests_on) if high > 0 else Length(0.0, math.inf, LONGER)


def clock(seconds: float, now: float) -> str:
    """When it will be that much later, with the day if that is another one."""
    then, today = time.localtime(now + seconds), time.localtime(now)
    return time.strftime("%H:%M" if then[:3] == today[:3] else "%a %d %b %H:%M", then)
