"""Heartbeats: when a stage is overdue."""

from __future__ import annotations

from pathlib import Path

import pytest

from sociolect.common.heartbeat import overdue_s, read_beat, write_beat


def test_stage_is_overdue_only_beyond_its_own_limit_and_never_once_it_ended(tmp_path: Path) -> None:
    write_beat(tmp_path / "b", "device")
    beat = read_beat(tmp_path / "b") or {}
    assert overdue_s(beat, beat["time"] + 300) == 0 and overdue_s(beat, beat["time"] + 301) == pytest.approx(1)
    assert overdue_s({**beat, "ended": "failed"}, beat["time"] + 1e6) == 0
    (tmp_path / "b").write_text('{"half')
    assert read_beat(tmp_path / "b") is None
