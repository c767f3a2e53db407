"""What the benchmarks share: alternating rounds, their medians, the machine's matmul peak, rows on disk.

A speed is only worth something as a ratio within one run: machines are noisy, and a figure of yesterday was
measured beside other work. So all contenders take turns (A B C A B C ...), and ratios are taken round by round.
"""

from __future__ import annotations

import argparse
import json
import os
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

from sociolect.common.errors import InputError  # noqa: E402  # found by the path above

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
    from sociolect.common.files import write_text

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


@dataclass(frozen=True)
class Spent:
    """What a call took.

    Attributes:
        seconds: by the clock.
        cpu: of all threads of the process.
    """

    seconds: float
    cpu: float


def timed(call: Callable[[], Any], device: torch.device) -> Spent:
    """What a call took; a call that returns it itself, since another process did the work, is believed."""
    synchronize(device)
    start, cpu = time.perf_counter(), time.process_time()
    result = call()
    synchronize(device)
    if isinstance(result, Spent):
        return result
    return Spent(time.perf_counter() - start, time.process_time() - cpu)


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
        contenders: name -> units of work per call, and the call, which may return what it `Spent`. Warm them up before.
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
            while done == 0 or elapsed < seconds / rounds:
                took = timed(call, device)
                done, elapsed = done + units, elapsed + took.seconds
                busy[name] += took.cpu
            speeds[name].append(done / elapsed)
            spent[name] += elapsed
            say(f"round {number}: {name}, {done / elapsed:.3g}/s in {elapsed:.1f} s")
    threads = torch.get_num_threads()
    return {n: Turns(speeds[n], spent[n], min(1.0, busy[n] / spent[n] / threads)) for n in contenders}


def search_sizes(
    runs: Mapping[int, Callable[[], Any]],
    units: int,
    device: torch.device,
    say: Callable[[str], None],
) -> dict[int, float]:
    """Units per second with each batch size, in one turn each; those that do not fit into memory are left out.

    Args:
        runs: batch size -> call, smallest first.
        units: of work per call.
        device: where they compute.
        say: told of each turn.
    """
    speeds = {}
    for size, run in runs.items():
        name = f"batch {size}"
        try:
            turns = alternate({name: (units, run)}, 1, 0.0, device, lambda line: say(f"best batch size: {line}"))
        except torch.OutOfMemoryError:
            say(f"best batch size: {size} does not fit into memory")
            break
        speeds[size] = turns[name].median
    return speeds


def matmul_peak(precision: str, device: torch.device, seconds: float = 1.0, side: int = 0) -> float:
    """FLOP per second of the fastest product of two large square matrices, in this precision and these threads."""
    side = side or (8192 if device.type == "cuda" else 2048)
    left, right = (torch.randn(side, side, device=device).to(DTYPES[precision]) for _ in range(2))
    best, end, tries = float("inf"), time.perf_counter() + seconds, 0
    with torch.inference_mode():
        torch.mm(left, right)
        while tries < 3 or time.perf_counter() < end:
            synchronize(device)
            start = time.perf_counter()
            torch.mm(left, right)
            synchronize(device)
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


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that every benchmark has beside those that say what it works on."""
    parser.add_argument("--json", type=Path, help="file for the rows")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    parser.add_argument("--seconds", type=float, help="least time per contender (default: one call a turn; GPU: 10)")
    parser.add_argument("--budget", type=float, help="add rounds while they fit into so many seconds (--quick: 60)")
    parser.add_argument("--threads", type=int, help="threads of torch (default: all cores)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, or auto: a GPU where there is one")


def settle(flags: argparse.Namespace, defaults: Callable[[bool], Mapping[str, Any]]) -> None:
    """Fill in what was not given.

    Args:
        flags: of the command line, changed in place.
        defaults: whether on a GPU -> values of a benchmark's own flags.
    """
    if flags.device == "auto":
        flags.device = "cuda" if torch.cuda.is_available() else "cpu"
    gpu = torch.device(flags.device).type == "cuda"
    common = {
        "seconds": 10.0 if gpu else 0.0,
        "budget": 60.0 if flags.quick else 0.0,
        "threads": os.cpu_count() or 1,
    }
    for name, value in {**common, **defaults(gpu)}.items():
        if getattr(flags, name) is None:
            setattr(flags, name, value)


def teller(what: str) -> Callable[[str], None]:
    """Tells people how far a measurement of this is."""
    started = time.perf_counter()

    def say(line: str) -> None:
        print(f"{time.perf_counter() - started:6.1f} s  {what}: {line}", file=sys.stderr, flush=True)

    return say


def as_program(benchmark: Callable[[], object]) -> None:
    """Run it; bad input ends the program in one line, not in a traceback."""
    try:
        benchmark()
    except InputError as error:
        sys.exit(f"error: {error}")


def hush_transformers() -> None:
    """No progress bars, errors only."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def synchronize(device: torch.device) -> None:
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
