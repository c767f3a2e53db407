"""What the parts of gpu.py share: their rows, written as they come, their time, and what the machine can do at most."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from measuring import Row, machine, matmul_peak, synchronize, teller, write_rows
from sociolect.common.errors import InputError

__all__ = ["Part", "copy_bandwidth", "difference", "skipped"]

PACKAGES = ("transformers", "sentence-transformers", "triton", "numpy", "flashdeberta", "disentangled-flash")


@dataclass
class Part:
    """One part of the script while it runs.

    Attributes:
        name: of the part.
        device: where it computes.
        tiny: with small shapes and few repeats, so that a CPU has it done in seconds.
        seconds: that it should take.
        file: where its rows go as they come; None for nowhere.
        rows: so far.
        wrong: what did not come out as it must.
    """

    name: str
    device: torch.device
    tiny: bool
    seconds: float
    file: Path | None = None
    rows: list[Row] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self.say: Callable[[str], None] = teller(self.name)
        self.conditions: dict[str, Any] = machine(self.device) | {"part": self.name, "tiny": self.tiny}
        self.conditions |= {"date": datetime.now(UTC).strftime("%Y-%m-%d")}
        for package in PACKAGES:
            with suppress(importlib.metadata.PackageNotFoundError):
                self.conditions[package] = importlib.metadata.version(package)

    @property
    def left(self) -> float:
        """Seconds until it should have ended."""
        return self.seconds - (time.monotonic() - self._began)

    def add(self, *rows: Row) -> None:
        """Keep rows, and write all so far: what ends this process loses none of them."""
        self.rows += [replace(row, conditions={**self.conditions, **row.conditions}) for row in rows]
        if self.file is not None:
            write_rows(self.rows, self.file)

    def peak(self, precision: str, seconds: float) -> float:
        """FLOP per second of the fastest product of two large matrices."""
        # a CPU without bfloat16 takes a minute for large ones
        return matmul_peak(precision, self.device, 0.02 if self.tiny else seconds, 256 if self.tiny else 0)

    def check(self, name: str, found: float, allowed: float, unit: str, at_least: bool = False, **where: Any) -> bool:
        """A row of something that has to be small (or large) enough, and whether it is."""
        met = found >= allowed if at_least else found <= allowed
        self.add(Row(name, found, unit, conditions={"needed" if at_least else "allowed": allowed, "met": met, **where}))
        self.say(f"{name}: {found:.3g}, {'at least' if at_least else 'at most'} {allowed:.3g}: {'ok' if met else 'NO'}")
        if not met:
            self.wrong.append(f"{name} is {found:.3g}, {'at least' if at_least else 'at most'} {allowed:.3g} is needed")
        return met


def skipped(name: str, unit: str, reason: Exception | str, **where: Any) -> Row:
    """The row of what could not be measured."""
    text = str(reason)
    note = text if text.startswith("skipped: ") else f"skipped: {text}"
    return Row(name, None, unit, conditions={"note": note, **where})


def difference(reference: torch.Tensor, scores: torch.Tensor) -> float:
    """Largest difference of two sets of scores; infinite where one is no number.

    Raises:
        InputError: they are not of the same pairs.
    """
    if reference.shape != scores.shape:
        raise InputError(f"scores {list(scores.shape)}, expected {list(reference.shape)}; not the same pairs")
    off = (reference.double() - scores.to(reference.device).double()).abs()
    return float(off.max()) if bool(off.isfinite().all()) else float("inf")


def copy_bandwidth(device: torch.device, seconds: float = 0.5) -> float:
    """Bytes per second that a copy reads and writes, of the fastest of some copies that no cache holds."""
    source = torch.empty(2**30 if device.type == "cuda" else 2**25, dtype=torch.uint8, device=device).fill_(1)
    target = torch.empty_like(source)
    best, end, tries = float("inf"), time.perf_counter() + seconds, 0
    while tries < 3 or time.perf_counter() < end:
        synchronize(device)
        start = time.perf_counter()
        target.copy_(source)
        synchronize(device)
        best, tries = min(best, time.perf_counter() - start), tries + 1
    return 2 * source.numel() / best
