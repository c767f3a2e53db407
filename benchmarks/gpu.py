"""What gpu.sh runs: parts, each with its time, in processes of their own, so that a fault in one loses only that one.

python benchmarks/gpu.py --json gpu.json               all parts, on the GPU
python benchmarks/gpu.py --tiny --json gpu.json        the same on a CPU with tiny shapes, in seconds
python benchmarks/gpu.py --write-docs gpu.json         the table of docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import torch

from gpu_labeling import check_labeling, time_kernels, time_labeling, time_student
from gpu_part import Part, copy_bandwidth
from gpu_steering import time_steering
from gpu_table import write_docs
from gpu_training import time_training
from measuring import DTYPES, Row, hush_transformers, write_rows

SHORTEST = 5.0


@dataclass(frozen=True)
class Plan:
    """A part: what it does, with which shape, and the seconds after which it is ended."""

    run: Callable[..., None]
    seconds: float
    shape: str = ""

    def of(self, tiny: bool) -> Callable[[Part], None]:
        """Its work on a part."""
        return partial(self.run, name="tiny" if tiny else self.shape) if self.shape else self.run


def measure_machine(part: Part) -> None:
    """The fastest product of two large matrices, and the bandwidth of a copy."""
    for precision in DTYPES:
        part.add(Row(f"matmul, {precision}: peak", part.peak(precision, 1.0) / 1e12, "TFLOP/s"))
    part.add(Row("copy: bandwidth", copy_bandwidth(part.device, 0.05 if part.tiny else 0.5) / 1e9, "GB/s"))


# the sum of the seconds is more than there is: a part seldom takes its own
PARTS = {
    "machine": Plan(measure_machine, 40),
    "labeling, correctness, base": Plan(check_labeling, 60, "base"),
    "labeling, base": Plan(time_labeling, 75, "base"),
    "labeling, kernels, base": Plan(time_kernels, 100, "base"),
    "steering, 1.5b": Plan(time_steering, 80, "1.5b"),
    "labeling, student, base": Plan(time_student, 45, "base"),
    "labeling, large": Plan(time_labeling, 90, "large"),
    "steering, qwen3-8b": Plan(time_steering, 100, "qwen3-8b"),
    "labeling, correctness, large": Plan(check_labeling, 60, "large"),
    "labeling, kernels, large": Plan(time_kernels, 75, "large"),
    "training, scratch": Plan(time_training, 120, "scratch"),
}
# a CPU has one shape, once
TINY = [name for name in PARTS if not name.endswith((" large", "qwen3-8b"))]


def run_part(name: str, tiny: bool, device: torch.device, file: Path) -> list[Row]:
    """A part's rows; the last says whether it went well."""
    part = Part(name, device, tiny, PARTS[name].seconds, file)
    part.say("begins")
    try:
        PARTS[name].of(tiny)(part)
    except Exception as error:  # whatever it is, the other parts go on
        traceback.print_exc()
        part.wrong.append(f"{type(error).__name__}: {error}".split("\n")[0])
    note = {"status": "failed", "note": "; ".join(part.wrong)} if part.wrong else {"status": "done"}
    took = PARTS[name].seconds - part.left
    part.add(Row(f"part: {name}", took, "s", conditions=note))
    part.say("; ".join(map(str, note.values())))
    return part.rows


def run_apart(name: str, flags: argparse.Namespace, seconds: float, file: Path) -> list[Row]:
    """The same in a process of its own, which is ended after so many seconds."""
    command = [sys.executable, str(Path(__file__).resolve()), "--parts", name, "--json", str(file), "--together"]
    began, note = time.monotonic(), ""
    try:
        done = subprocess.run([*command, "--device", flags.device, *["--tiny"] * flags.tiny], timeout=seconds)
        if done.returncode:
            note = f"its process ended with {done.returncode}"
    except subprocess.TimeoutExpired:
        note = f"ended after {seconds:.0f} seconds"
    rows = read_rows(file)
    if not any(row.name == f"part: {name}" for row in rows):
        where = {"part": name, "tiny": flags.tiny, "status": "failed", "note": note or "it wrote nothing"}
        rows.append(Row(f"part: {name}", time.monotonic() - began, "s", conditions=where))
    return rows


def read_rows(file: Path) -> list[Row]:
    """Rows of a file; none if there is no file."""
    return [Row(**row) for row in json.loads(file.read_text(encoding="utf-8"))] if file.is_file() else []


def run_parts(flags: argparse.Namespace) -> list[Row]:
    """All parts, one after the other; rows are on disk as soon as a part has ended."""
    end, rows = time.monotonic() + flags.seconds, list[Row]()
    for name in flags.parts:
        left = end - time.monotonic()
        if left < SHORTEST:
            where = {"part": name, "tiny": flags.tiny, "status": "skipped", "note": "skipped: no time left"}
            rows.append(Row(f"part: {name}", None, "s", conditions=where))
        elif flags.together:
            rows += run_part(name, flags.tiny, torch.device(flags.device), flags.json)
        else:
            with tempfile.TemporaryDirectory() as folder:
                rows += run_apart(name, flags, min(left, PARTS[name].seconds), Path(folder) / "rows.json")
        write_rows(rows, flags.json)
    return rows


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("gpu.json"), help="file for the rows")
    parser.add_argument("--tiny", action="store_true", help="tiny shapes, on a CPU if there is no GPU")
    parser.add_argument("--parts", nargs="+", choices=PARTS, metavar="PART", help=f"some of: {'; '.join(PARTS)}")
    parser.add_argument("--seconds", type=float, default=350, help="after so many no part goes on")
    parser.add_argument("--device", help="cpu or cuda (default: cuda; --tiny: cpu)")
    parser.add_argument("--together", action="store_true", help="all parts in this process, as --tiny has them")
    parser.add_argument("--write-docs", type=Path, metavar="FILE", help="write these rows into docs/benchmarks.md")
    flags = parser.parse_args(arguments)
    flags.device = flags.device or ("cpu" if flags.tiny else "cuda")
    flags.parts = flags.parts or (TINY if flags.tiny else list(PARTS))
    return flags


def main(arguments: Sequence[str] | None = None) -> None:
    flags = parse(arguments)
    if flags.write_docs:
        write_docs(read_rows(flags.write_docs))
        return
    if flags.device == "cuda" and not torch.cuda.is_available():
        sys.exit("error: there is no GPU here; --tiny tries the script on a CPU")
    hush_transformers()
    flags.together = flags.together or flags.tiny
    rows = run_parts(flags)
    states = [row for row in rows if row.name.startswith("part: ")]
    bad = [row for row in states if row.conditions["status"] != "done"]
    print(f"{len(rows)} rows in {flags.json}; {len(states) - len(bad)} of {len(states)} parts done")
    if bad:
        sys.exit("error: " + "\n".join(f"{row.name}: {row.conditions['note']}" for row in bad))


if __name__ == "__main__":
    main()
