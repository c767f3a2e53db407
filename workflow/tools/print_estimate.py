"""Print what a run is estimated to take, rule by rule, and beside it what it took, where it has run."""

from __future__ import annotations

import argparse
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies
from rich.console import Console

from sociolect.common.artifacts import read_provenance, read_table
from sociolect.common.errors import exit_plainly
from sociolect.common.schemas import ESTIMATE
from sociolect.estimate.run_times import actual_hours
from sociolect.estimate.table import caption, render

WIDE = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--estimate", type=Path, required=True, help="results/<run>/estimate/estimate.parquet")
    parser.add_argument("--benchmarks", type=Path, required=True, help="results/<run>/benchmarks")
    given = parser.parse_args()
    frame, known = read_table(given.estimate, ESTIMATE), read_provenance(given.estimate)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE, color_system=None)
    console.print(render(frame, actual_hours(given.benchmarks), "Estimate"))
    console.print(caption(frame, known), soft_wrap=True)
    console.print(known["verdict"], soft_wrap=True, style="bold" if known["verdict"].startswith("OVER") else None)
    console.print(f"{given.estimate}", soft_wrap=True)


if __name__ == "__main__":
    exit_plainly(main)
