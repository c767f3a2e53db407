"""What the benchmarks share: alternating rounds, their medians, the machine's matmul peak, rows on disk.

A speed is only worth something as a ratio within one run: machines are noisy, and a figure of yesterday was
measured beside other work. So all contenders take turns (A B C A B C ...), and ratios are taken round by round.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]
# the library is no installed package: the programs of the workflow find it beside themselves
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        name: what was measured, "<contender>: <quantity>".
        value: the figure; None where it could not be measured, with the reason in `conditions`.
        unit: of the value.
        baseline: what the ratio is taken against; None without a ratio.
        ratio: median over rounds of this contender's speed over the baseline's in the same round.
        conditions: all that the figure depends on.
    """

    name: str
    value: float | None
    unit: str
    baseline: str | None = None
    ratio: float | None = None
    conditions: Mapping[str, Any] = field(default_factory=dict)


def write_rows(rows: Sequence[Row], path: Path) -> None:
    """Write rows as a JSON list, whole or not at all."""
    from sociolect.artifacts import write_text

    write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", path)


@dataclass(frozen=True)
class Turns:
    """What a contender did in each round.

    Attributes:
        speeds: units per second, by round.
        seconds: all that it took.
        cores: share of the threads' time that this process got, of all its turns. What is missing from 1 waited, or
            went to other work on the machine; then ratios are unsure.
    """

    speeds: list[float]
    seconds: float
    cores: float = 1.0

    @property
    def median(self) -> float:
        """Median speed over the rounds."""
        return median(self.speeds)

    def ratio(self, other: Turns) -> float:
        """Median over rounds of this speed over the other one in the same round: drift of the machine cancels."""
        return median(a / b for a, b in zip(self.speeds, other.speeds, strict=True))


def alternate(
    contenders: Mapping[str, tuple[int, Callable[[], Any]]],
    rounds: int,
    seconds: float,
    device: torch.device,
    say: Callable[[str], None] = lambda _: None,
    before_round: Callable[[], None] = lambda: None,
    budget: float = 0.0,
) -> dict[str, Turns]:
    """Time contenders in turn, round after round.

    Args:
        contenders: name -> units of work per call, and the call. Warm them up before.
        rounds: turns of each, at least.
        seconds: least time of each over all rounds; a turn repeats the call until it has its share.
        device: where they compute; its queue is emptied before a clock is read.
        say: told of each turn.
        before_round: called first in each round, untimed.
        budget: seconds; more rounds are added while they fit into it.
    """
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    spent = dict.fromkeys(contenders, 0.0)
    busy = dict.fromkeys(contenders, 0.0)
    number, began = 0, time.perf_counter()
    while number < rounds or (time.perf_counter() - began) * (number + 1) / number < budget:
        number += 1
        before_round()
        for name, (units, call) in contenders.items():
            done, elapsed = 0, 0.0
            synchronise(device)
            start, cpu = time.perf_counter(), time.process_time()
            while done == 0 or elapsed < seconds / rounds:
                call()
                synchronise(device)
                done, elapsed = done + units, time.perf_counter() - start
            speeds[name].append(done / elapsed)
            spent[name] += elapsed
            busy[name] += time.process_time() - cpu
            say(f"round {number}: {name}, {done / elapsed:.3g}/s in {elapsed:.1f} s")
    threads = torch.get_num_threads()
    return {n: Turns(speeds[n], spent[n], min(1.0, busy[n] / spent[n] / threads)) for n in contenders}


def matmul_peak(precision: str, device: torch.device, seconds: float = 1.0) -> float:
    """FLOP per second of the fastest product of two large square matrices, in this precision and these threads."""
    side = 8192 if device.type == "cuda" else 2048
    left, right = (torch.randn(side, side, device=device).to(DTYPES[precision]) for _ in range(2))
    best, end, tries = float("inf"), time.perf_counter() + seconds, 0
    with torch.inference_mode():
        torch.mm(left, right)
        while tries < 3 or time.perf_counter() < end:
            synchronise(device)
            start = time.perf_counter()
            torch.mm(left, right)
            synchronise(device)
            best, tries = min(best, time.perf_counter() - start), tries + 1
    return 2 * side**3 / best


@contextmanager
def computed_tokens(weight_shape: tuple[int, int], layers: int) -> Iterator[list[int]]:
    """Collect how many tokens each batch is computed for, padding included.

    Counted where every encoder must go, in whatever way it computes the rest: at the linear layer whose weight has
    this shape, which each batch passes `layers` times. The first time counts, as an encoder may drop rows that it
    no longer needs.
    """
    found: list[int] = []
    passed = 0
    original: Any = torch.nn.functional.linear

    def counting(x: torch.Tensor, weight: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        nonlocal passed
        if tuple(weight.shape) == weight_shape:
            if passed % layers == 0:
                found.append(x.numel() // x.shape[-1])
            passed += 1
        return original(x, weight, *args, **kwargs)

    functional: Any = torch.nn.functional
    functional.linear = counting
    try:
        yield found
    finally:
        functional.linear = original


def synchronise(device: torch.device) -> None:
    """Wait for the device's queue."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def machine(device: torch.device) -> dict[str, Any]:
    """What the figures were measured on."""
    found: dict[str, Any] = {"device": device.type, "torch": torch.__version__, "threads": torch.get_num_threads()}
    if device.type == "cuda":
        found |= {"gpu": torch.cuda.get_device_name(device), "cuda": torch.version.cuda, "driver": _driver()}
    else:
        found |= {"cpu": _cpu(), "capability": torch.backends.cpu.get_cpu_capability()}
    return found


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _driver() -> str | None:
    version = Path("/proc/driver/nvidia/version")
    if not version.is_file():
        return None
    words = version.read_text(encoding="utf-8").split()
    return next((word for word in words if word[:1].isdigit() and "." in word), None)
