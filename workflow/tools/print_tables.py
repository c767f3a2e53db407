"""Print the comparison tables of a run in the terminal."""

from __future__ import annotations

import library_path  # noqa: F401, first: where sociolect lies
from rich import box
from rich.console import Console
from rich.table import Table

from sociolect.common.artifacts import read_table
from sociolect.common.runtime import InputError, Job, run_program
from sociolect.common.schemas import COMPARISON
from sociolect.evaluation.comparison import CROSS
from sociolect.evaluation.renderings import HEADER, cells
from sociolect.settings.base import Stage

NARROW = 118


def main(job: Job[Stage]) -> None:
    """One table per experiment; plain text where the output is not a terminal."""
    if not job.inputs["table"]:
        raise InputError("--table names no file; give results/<run>/comparison/<experiment>.parquet")
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=NARROW, color_system=None)
    for path in job.inputs["table"]:
        frame = read_table(path, COMPARISON)
        beside = path.with_suffix(".controls.parquet")
        below = cells(read_table(beside, COMPARISON), decimals=0) if beside.is_file() else []
        title = f"Comparison: {path.stem}"
        table = Table(title=title, title_justify="left", box=box.ASCII2, show_edge=False, pad_edge=False)
        for number, name in enumerate(HEADER):
            table.add_column(name.replace(" to ", "\nto "), justify="right" if number else "left", no_wrap=not number)
        below = [row for row in below if not row[0].endswith(CROSS)]
        for number, row in enumerate([*cells(frame, decimals=0), *below]):
            table.add_row(*row, end_section=number in (frame.height // 2 - 1, frame.height - 1))
        console.print(table)
        console.print(f"{path}\n", soft_wrap=True)
    console.print("count, share [interval]; - : row 1 is the reference; n/a: nothing to measure")


if __name__ == "__main__":
    run_program(main, __doc__, Stage, inputs=["table*"])
