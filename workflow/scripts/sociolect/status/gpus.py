"""What GPUs do: those of this machine, as nvidia-smi says, and those of jobs, as their heartbeats say."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

QUERY = (
    "nvidia-smi",
    "--query-gpu=index,name,utilization.gpu,memory.used,memory.total",
    "--format=csv,noheader,nounits",
)
# a driver that is stuck answers never
PATIENCE_S = 5.0
GB = 1e9
_MIB = 2**20


@dataclass(frozen=True)
class Gpu:
    """One GPU: percent of the time that it computes, bytes used and there are; None where it does not tell."""

    index: str
    name: str
    busy: int | None
    used: int | None
    total: int | None

    @property
    def said(self) -> str:
        """In a line."""
        parts = [f"{self.busy} %" if self.busy is not None else "", _of(self.used, self.total)]
        return f"GPU {self.index}, {self.name}: {', '.join(filter(None, parts)) or 'it does not tell'}"


def machine_gpus(command: Sequence[str] = QUERY, patience: float = PATIENCE_S) -> list[Gpu]:
    """GPUs of this machine; none where there is no nvidia-smi, or it fails, or does not answer in time."""
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    except OSError:
        return []
    try:
        said, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        # not waited for: one that hangs in the driver outlasts even this
        process.kill()
        return []
    return _parsed(said.decode("utf-8", errors="replace")) if process.returncode == 0 else []


def beat_gpu(beat: Mapping[str, Any]) -> str:
    """What a job has of its GPUs, by its heartbeat; nothing where it uses none."""
    gpu = beat.get("gpu") or {}
    busy = f"{gpu['busy']} %" if gpu.get("busy") is not None else ""
    return ", ".join(filter(None, [busy, _of(gpu.get("held"), gpu.get("total"))]))


def _parsed(text: str) -> list[Gpu]:
    rows = [row for row in csv.reader(text.splitlines(), skipinitialspace=True) if len(row) == 5]
    return [
        Gpu(index, name, _number(busy), _number(used, _MIB), _number(total, _MIB))
        for index, name, busy, used, total in rows
    ]


def _number(cell: str, unit: int = 1) -> int | None:
    """A figure; `[N/A]` and `[Not Supported]` are none."""
    return int(cell) * unit if cell.strip().isdigit() else None


def _of(used: float | None, total: float | None) -> str:
    if used is None:
        return ""
    return f"{used / GB:.3g} of {total / GB:.3g} GB" if total else f"{used / GB:.3g} GB"
