"""Print what a run left out of its tables."""

from __future__ import annotations

import library_path  # noqa: F401, first: where sociolect lies
from rich.console import Console

from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import LEFT_OUT
from sociolect.corpus.left_out import shown_left_out
from sociolect.settings.base import Stage


def main(job: Job[Stage]) -> None:
    """A line for each kind, and nothing where nothing was left out."""
    lines = shown_left_out(job.read("left_out", LEFT_OUT))
    if lines:
        console = Console(highlight=False, markup=False, soft_wrap=True)
        console.print("Left out:", *(f"  {line}" for line in lines), f"  {job.path('left_out')}", sep="\n")


if __name__ == "__main__":
    run_program(main, __doc__, Stage, inputs=["left_out"])
