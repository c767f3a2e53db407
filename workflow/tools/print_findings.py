"""Print what a run found, in sentences, and where everything lies."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies
from rich.console import Console

from sociolect.common.errors import exit_plainly

WIDE = 118


def main() -> None:
    """The sentences as lines that fit, then a line for each file or folder that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--findings", type=Path, required=True, help="results/<run>/findings.md")
    parser.add_argument("--places", nargs="*", default=[], metavar="WHAT=PATH", help="what else is told where it lies")
    given = parser.parse_args()
    console = Console(highlight=False, markup=False, soft_wrap=True)
    width = min(WIDE, console.width) if console.is_terminal else WIDE
    for line in given.findings.read_text(encoding="utf-8").splitlines():
        text = line.lstrip("# ").replace("**", "")
        console.print(textwrap.fill(text, width, subsequent_indent="   " if text[:1].isdigit() else ""))
    console.print()
    for what, path in (place.split("=", 1) for place in given.places):
        if Path(path).exists():
            console.print(f"{what + ':':<12}{path}")


if __name__ == "__main__":
    exit_plainly(main)
