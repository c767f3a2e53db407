"""What of a run is done, and what work is left in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean

from sociolect.dag.job_states import STATES, JobState
from sociolect.dag.pictures import duration
from sociolect.dag.planned import Job


def summary(jobs: Sequence[Job], states: Sequence[JobState], estimated: Mapping[str, float]) -> str:
    """Jobs by state, and the work that is left.

    Args:
        jobs: of the run.
        states: of these jobs.
        estimated: seconds of a job by rule, where they were estimated.
    """
    # a target makes nothing itself
    pairs = [(job, state) for job, state in zip(jobs, states, strict=True) if job.log]
    counted = Counter(state.state for _, state in pairs)
    others = [f"{counted[state]} {state}" for state in STATES if counted[state] and state != "done"]
    line = ", ".join([f"{counted['done']} of {len(pairs)} jobs done", *others])
    if not others:
        return line
    lengths = job_lengths(pairs, estimated)
    known = [length for length in lengths if length is not None]
    # side by side they take less, and nobody knows by how much
    parts = [f"{duration(sum(known))} of work one after the other"] if known else []
    if unknown := len(lengths) - len(known):
        parts.append(f"{unknown} jobs of unknown length (make estimate)")
    return f"{line}; left: {', '.join(parts)}"


def job_lengths(pairs: Sequence[tuple[Job, JobState]], estimated: Mapping[str, float]) -> list[float | None]:
    """Seconds of each job that is not done: what it took before, or others of its rule did, or the estimate."""
    took: dict[str, list[float]] = defaultdict(list)
    for job, state in pairs:
        if state.seconds is not None:
            took[job.rule].append(state.seconds)
    of_rule = {**estimated, **{rule: mean(seconds) for rule, seconds in took.items()}}
    return [
        state.seconds if state.seconds is not None else of_rule.get(job.rule)
        for job, state in pairs
        if state.state != "done"
    ]
