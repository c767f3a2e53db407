"""What a heartbeat says of GPUs: asked of a torch that uses them, and nothing is set up for its sake."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sociolect.common.gpu_use import gpu_use
from sociolect.common.heartbeat import read_beat, write_beat


class Cuda:
    """torch.cuda of a process with two GPUs."""

    def __init__(self, initialized: bool = True, busy: Any = 64) -> None:
        self.initialized, self.busy = initialized, busy

    def is_initialized(self) -> bool:
        return self.initialized

    def device_count(self) -> int:
        assert self.initialized, "asked of a process that uses no GPU"
        return 2

    def memory_reserved(self, device: int) -> int:
        return (device + 1) * 10**9

    def get_device_properties(self, device: int) -> SimpleNamespace:
        return SimpleNamespace(total_memory=80 * 10**9)

    def utilization(self) -> int:
        if isinstance(self.busy, Exception):
            raise self.busy
        return int(self.busy)


def test_memory_of_all_its_gpus_and_how_busy_they_are_where_nvml_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"held": 3 * 10**9, "total": 160 * 10**9}
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=Cuda()))
    assert gpu_use() == {**held, "busy": 64}
    for error in (ModuleNotFoundError("pynvml"), RuntimeError("driver")):
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=Cuda(busy=error)))
        assert gpu_use() == held


def test_a_process_without_torch_or_without_a_gpu_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=Cuda(initialized=False)))
    assert gpu_use() == {}
    monkeypatch.delitem(sys.modules, "torch")
    write_beat(tmp_path / "b", "begin")
    assert "torch" not in sys.modules
    beat = read_beat(tmp_path / "b") or {}
    assert beat["gpu"] == {} and 0 < beat["began"] <= beat["time"]
