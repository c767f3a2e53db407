"""Timing that ends."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from sociolect.common.errors import InputError
from sociolect.estimate.probing import time_rounds, time_steps


def test_rounds_grow_to_the_full_size_and_steps_are_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    # a clock of its own: on a busy machine a round may take any time
    ticks = count(step=1e-5)
    monkeypatch.setattr("sociolect.estimate.probing.time.perf_counter", lambda: next(ticks))
    asked: list[int] = []

    def run(n: int) -> int:
        asked.append(n)
        return 3 * n

    timed = time_rounds(run, 100, 1e-4)
    assert asked[:5] == [1, 1, 8, 64, 100] and set(asked[5:]) == {100} and len(asked) >= 7
    assert timed.n % 300 == 0 and timed.rate > 0
    steps: list[int] = []

    def train(report: Any) -> None:
        for step in range(10**6):
            steps.append(step)
            report(step, 10**6, "")

    assert time_steps(train, 1e-3).n == len(steps) - 3
    with pytest.raises(InputError, match="ended after 1 steps"):
        time_steps(lambda report: report(1, 1, ""), 1.0)
