"""What importing a dump takes, at several sizes: seconds, and the most memory that the process ever held.

A made-up Posts.xml of each size is imported by `workflow/tools/import_dump.py` in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from measuring import Row, as_program, machine, write_rows
from sociolect.common.errors import InputError

TOOL = Path(__file__).resolve().parents[1] / "workflow" / "tools" / "import_dump.py"
# an array: a list would be made one at every draw
WORDS = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "rt", "lis", "mo")])
# answers of a question, and people
ANSWERS, AUTHORS = 3, 5000


def write_posts(path: Path, size: int, seed: int = 0) -> int:
    """Write a made-up Posts.xml of at least so many bytes; how many posts it has."""
    rng, written, number = np.random.default_rng(seed), 0, 0
    with path.open("w", encoding="utf-8") as stream:
        stream.write('<?xml version="1.0" encoding="utf-8"?>\n<posts>\n')
        while written < size:
            asked = number + 1
            for turn in range(1 + ANSWERS):
                number += 1
                body = "".join(f"<p>{' '.join(rng.choice(WORDS, 60))} &amp; <em>so</em>.</p>" for _ in range(3))
                link = f'ParentId="{asked}"' if turn else f'Title="{" ".join(rng.choice(WORDS, 8))}?"'
                line = (
                    f'  <row Id="{number}" PostTypeId="{2 if turn else 1}" {link} Score="{rng.integers(9)}" '
                    f'OwnerUserId="{rng.integers(1, AUTHORS)}" Body="{escape(body)}" />\n'
                )
                written += len(line)
                stream.write(line)
        stream.write("</posts>\n")
    return number


def measured(folder: Path, megabytes: int) -> tuple[float, float, float, int]:
    """Seconds, peak memory in MB, megabytes of tables, and posts, of an import of so many megabytes.

    Raises:
        InputError: the import failed.
    """
    dump, out = folder / f"made-up-{megabytes}.xml", folder / f"data-{megabytes}"
    posts = write_posts(dump, megabytes * 1_000_000)
    started = time.monotonic()
    command = [sys.executable, str(TOOL), "stackexchange", str(dump), "--out", str(out), "--salt", "made up"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise InputError(f"the import of {megabytes} MB failed; its lines above say why")
    tables = sum(path.stat().st_size for path in out.glob("*.parquet")) / 1e6
    dump.unlink()
    return time.monotonic() - started, usage.ru_maxrss / 1024, tables, posts


def run_benchmark(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure, print and write."""
    flags = parse(arguments)
    sizes = flags.megabytes or ([5, 20] if flags.quick else [50, 200])
    conditions = machine(torch.device("cpu"))
    rows: list[Row] = []
    table = Table("dump, MB", "posts", "s", "MB/s", "peak memory, MB", "tables, MB")
    with tempfile.TemporaryDirectory(dir=flags.folder) as folder:
        for size in sizes:
            seconds, memory, tables, posts = measured(Path(folder), size)
            said = conditions | {"posts": posts, "megabytes": size}
            rows.append(Row(f"import of {size} MB: memory", memory, "MB", conditions=said))
            rows.append(Row(f"import of {size} MB: speed", size / seconds, "MB/s", conditions=said))
            table.add_row(
                *(str(size), f"{posts:,}", f"{seconds:.0f}", f"{size / seconds:.1f}", f"{memory:.0f}", f"{tables:.0f}")
            )
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    if flags.json:
        write_rows(rows, flags.json)
    return rows


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="seconds: 5 and 20 MB")
    parser.add_argument("--megabytes", type=int, nargs="+", help="sizes of the dumps (default: 50 200)")
    parser.add_argument("--folder", type=Path, help="where the dumps are written (default: that of temporary files)")
    parser.add_argument("--json", type=Path, help="file for the rows")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    as_program(run_benchmark)
