"""Rate and time left, of what this start did alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sociolect.common import progress as progress_module
from sociolect.common.heartbeat import read_beat
from sociolect.common.progress import Progress, within


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    return now


def said(progress: Progress) -> dict[str, Any]:
    assert progress.heartbeat is not None
    beat = read_beat(progress.heartbeat) or {}
    return {name: beat[name] for name in ("done", "total", "rate", "eta_s")}


def test_what_an_earlier_start_did_took_no_time(tmp_path: Path, clock: list[float]) -> None:
    progress = Progress("generate", tmp_path / "beat", started=1000.0)
    clock[0] += 10
    progress(9480, 10000, "", 9000)
    # 480 in 10 s, 520 to go
    assert said(progress) == {"done": 9480, "total": 10000, "rate": 48.0, "eta_s": pytest.approx(520 / 48)}
    clock[0] += 10
    progress(9000, 10000, "", 9000)
    assert said(progress)["eta_s"] is None


def test_a_part_knows_what_was_there_before_it(tmp_path: Path, clock: list[float]) -> None:
    progress = Progress("label", tmp_path / "beat", started=1000.0)
    # of 100, 40 were there and 20 were done by this start; the part is 30 and counts 60 pairs of its own
    part = within(progress, 60, 30, 100, 40)
    assert part is not None
    clock[0] += 10
    part(20, 60)
    assert said(progress) == {"done": 70, "total": 100, "rate": 3.0, "eta_s": 10.0}
