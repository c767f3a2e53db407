"""What is left of a run in a sentence: jobs by state, and when it will end, as surely as that can be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sociolect.dag.job_states import STATES, JobState
from sociolect.dag.pictures import duration
from sociolect.dag.planned import Job
from sociolect.status.lengths import ESTIMATED, LONGER, TOOK, UNKNOWN, Length, clock, lengths_left
from sociolect.status.wall_time import Task, longest_chain, wall_time

# a range that is narrower than this, as a share of its end, is one number
NARROW = 0.1
_RESTS_ON = {TOOK: "what such jobs took", ESTIMATED: "the estimate"}


@dataclass(frozen=True)
class Places:
    """How much runs at once, and in words; on a cluster there may be more of them, in the end one for each job."""

    most: int
    said: str
    cluster: bool = False


@dataclass(frozen=True)
class Left:
    """Seconds until a run ends, from `low` to `high`; what that rests on, and what comes on top: jobs of unknown
    length, and running ones that take longer than expected."""

    low: float
    high: float
    rests_on: tuple[str, ...] = ()
    unknown: int = 0
    longer: int = 0

    @property
    def said(self) -> str:
        """The range in words."""
        if self.unknown or self.longer:
            return f"at least {duration(self.low)}" if self.low >= 1 else "an unknown time"
        if self.high - self.low <= NARROW * self.high:
            return f"about {duration(self.high)}"
        return f"{duration(self.low)} to {duration(self.high)}"


def cores(number: int) -> Places:
    """Places of one machine."""
    return Places(number, f"{number} core{'s' if number > 1 else ''}")


def slurm_places(running: int) -> Places:
    """Places on a cluster: what the queue runs now."""
    return Places(max(1, running), f"{max(1, running)} at once, as now", cluster=True)


def time_left(
    jobs: Sequence[Job], states: Sequence[JobState], estimated: Mapping[str, float], places: Places, now: float
) -> Left:
    """How long until all jobs of these that are not done have ended.

    Args:
        jobs: of the run, without those that it will not come to.
        states: of these jobs.
        estimated: seconds of a job by rule, where they were estimated.
        places: how much runs at once.
        now: the time.
    """
    lengths = lengths_left(jobs, states, estimated, now)
    running = {job.id for job, state in zip(jobs, states, strict=True) if state.beat}
    open_jobs = [job for job in jobs if job.id in lengths]

    def tasks(end: str) -> list[Task]:
        return [_task(job, lengths[job.id], end, job.id in running, places.cluster) for job in open_jobs]

    # with a place for each job it cannot be sooner
    low = longest_chain(tasks("low")) if places.cluster else wall_time(tasks("low"), places.most)
    high = wall_time(tasks("high"), places.most)
    known = [length.rests_on for length in lengths.values() if length.high > 0]
    rests_on = tuple(words for kind, words in _RESTS_ON.items() if kind in known)
    return Left(low, high, rests_on, known.count(UNKNOWN), known.count(LONGER))


def summary(
    jobs: Sequence[Job], states: Sequence[JobState], estimated: Mapping[str, float], places: Places, now: float
) -> str:
    """Jobs by state, and when the run ends."""
    # a target makes nothing itself
    counted = Counter(state.state for job, state in zip(jobs, states, strict=True) if job.log)
    others = [f"{counted[state]} {state}" for state in STATES if counted[state] and state != "done"]
    line = ", ".join([f"{counted['done']} of {sum(counted.values())} jobs done", *others])
    if not others:
        return line
    left = time_left(jobs, states, estimated, places, now)
    parts = [f"{left.said} with {places.said}"]
    if counted["running"] and not left.unknown and not left.longer:
        ends = list(dict.fromkeys(clock(seconds, now) for seconds in (left.low, left.high)))
        parts.append(f"until {' to '.join(ends)}")
    if left.rests_on:
        parts.append(f"by {' and '.join(left.rests_on)}")
    if left.unknown:
        parts.append(f"{left.unknown} of unknown length (make estimate)")
    if left.longer:
        parts.append(f"{left.longer} running for longer than such jobs took")
    return f"{line}; left: {', '.join(parts)}"


def _task(job: Job, length: Length, end: str, running: bool, cluster: bool) -> Task:
    # of an unknown one the least is all there is
    seconds = length.low if end == "low" or length.rests_on in (UNKNOWN, LONGER) else length.high
    return Task(job.id, seconds, job.needs, 1 if cluster else job.threads, running)
