"""Refuse to touch the environment while a run on the cluster uses it. Standard library only: there may be none yet."""

from __future__ import annotations

import sys

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.slurm.runs import STATE, all_runs, read_driver


def main() -> None:
    for run in all_runs(STATE.absolute()):
        driver = read_driver(run)
        if driver.alive():
            sys.exit(f"error: process {driver.pid} drives a run whose jobs use .venv; stop it first: kill {driver.pid}")


if __name__ == "__main__":
    main()
