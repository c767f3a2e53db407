"""Seconds per unit: rounds of growing size until they fill the device, then repeated, the median taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from sociolect.common.errors import InputError
from sociolect.common.progress import Report

__all__ = ["DESCRIBING", "TAGGING", "Timed", "time_rounds", "time_steps"]

# names of the tagger's and of the describer's probe
TAGGING, DESCRIBING = "tagging", "describing"

# a GPU takes 64 texts in hardly more time than one: the first rounds must not decide
GROWTH = 8
# a median of fewer tells little; where one round is long, it has to do
MIN_ROUNDS = 3
WARM_UP_STEPS = 3


@dataclass(frozen=True)
class Timed:
    """Units done, the seconds that they took, and the seconds per unit."""

    n: int
    seconds: float
    rate: float


class _EnoughError(Exception):
    """Ends a training that is only timed."""


def time_rounds(run: Callable[[int], int], full: int, seconds: float) -> Timed:
    """Time rounds of `full` items, or of fewer where a round of these would take far longer than `seconds`.

    The first round warms up; those of 1, 8, 64 ... items find the size.

    Args:
        run: does so many items and returns the units that these are.
        full: items of a round as the workflow does them at once.
        seconds: rounds are repeated until they took this long together.

    Raises:
        InputError: a round does no unit.
    """
    run(1)
    items, took = 1, _once(run, 1)[1]
    while items < full and took <= seconds:
        items = min(full, items * GROWTH)
        took = _once(run, items)[1]
    rounds: list[tuple[int, float]] = []
    while sum(s for _, s in rounds) < seconds or (len(rounds) < MIN_ROUNDS and took <= seconds):
        rounds.append(_once(run, items))
    if min(n for n, _ in rounds) < 1:
        raise InputError("a probe had no text to work on; are the answers of the samples empty?")
    return Timed(sum(n for n, _ in rounds), sum(s for _, s in rounds), median(s / n for n, s in rounds))


def time_steps(train: Callable[[Report], Any], seconds: float) -> Timed:
    """Time the steps of a training, which is broken off: the mean, since batches differ in length.

    Args:
        train: trains, calling back after each step.
        seconds: time to watch it, from the fourth step on.

    Raises:
        InputError: it ended before that.
    """
    ends: list[float] = []

    def report(step: int, total: int, message: str = "", kept: int = 0) -> None:
        _wait()
        ends.append(time.perf_counter())
        if len(ends) > WARM_UP_STEPS and ends[-1] - ends[WARM_UP_STEPS - 1] >= seconds:
            raise _EnoughError

    try:
        train(report)
    except _EnoughError:
        n, took = len(ends) - WARM_UP_STEPS, ends[-1] - ends[WARM_UP_STEPS - 1]
        return Timed(n, took, took / n)
    raise InputError(f"a training that is timed ended after {len(ends)} steps; lower estimate.seconds")


def _once(run: Callable[[int], int], items: int) -> tuple[int, float]:
    began = time.perf_counter()
    units = run(items)
    _wait()
    return units, max(time.perf_counter() - began, 1e-9)


def _wait() -> None:
    """A GPU works on while Python is ahead of it."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
