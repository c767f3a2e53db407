"""What `make import` prints: the funnel, the groups, and where everything lies."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from sociolect.dumps.importing import Imported

__all__ = ["print_import"]

_LINES, _WIDTH = 3, 118


def print_import(imported: Imported, record: Path) -> None:
    """Print what an import gave; plain text where the output is not a terminal."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=_WIDTH, color_system=None)
    for line in imported.unread[:_LINES]:
        console.print(f"warning: {line}", soft_wrap=True)
    console.print(_funnel(imported))
    console.print(_groups(imported))
    if imported.masked:
        console.print("masked: " + ", ".join(f"{kind} {n:,}" for kind, n in imported.masked.items()))
    for path in imported.gone:
        console.print(f"removed {path}: of the import before; this one has no answers for it", soft_wrap=True)
    console.print(f"wrote {', '.join(str(path) for path in imported.tables)}; the funnel: {record}", soft_wrap=True)


def _funnel(imported: Imported) -> Table:
    table = Table(box=box.ASCII2, show_edge=False, pad_edge=False)
    for name in ("split", "", "posts", "n", "left", "such as"):
        table.add_column(name, justify="right" if name in ("n", "left") else "left", overflow="fold")
    for step, after in zip(imported.steps, [*imported.steps[1:], None], strict=True):
        end = after is None or after.split != step.split
        example = f"{Path(step.example).parent.name}/{Path(step.example).name}" if step.example else ""
        table.add_row(step.split, step.what, step.rule, f"{step.n:,}", f"{step.left:,}", example, end_section=end)
    return table


def _groups(imported: Imported) -> Table:
    table = Table(box=box.ASCII2, show_edge=False, pad_edge=False)
    for name in ("split", "group", "answers", "questions"):
        table.add_column(name, justify="right" if name in ("answers", "questions") else "left")
    for (split, group), (answers, questions) in imported.sizes.items():
        table.add_row(split, group, f"{answers:,}", f"{questions:,}")
    return table
