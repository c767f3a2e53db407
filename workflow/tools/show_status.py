"""Show what runs now, how far and how fast, and of a config's run its rules, what failed, and when it will end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from sociolect.common.errors import exit_plainly
from sociolect.slurm.runs import STATE
from sociolect.status.looking import look_at

# two looks are so far apart, and take no more than a tenth of one core
EVERY_S, SHARE = 5.0, 10
WIDE = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--configfile", type=Path, help="of the run to sum up")
    parser.add_argument("--run", type=Path, help="its folder")
    parser.add_argument("--cores", type=int, default=1, help="of a run on this machine")
    parser.add_argument("--watch", action="store_true", help="on a terminal: look again and again, until Ctrl-C")
    parser.add_argument("--all", action="store_true", help="a row for every rule")
    given = parser.parse_args()
    what = given.results, STATE.absolute(), given.run, given.configfile, given.cores, given.all
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        width = None if "COLUMNS" in os.environ else WIDE
        console = Console(highlight=False, markup=False, width=width, color_system=None)
    first = look_at(*what)
    if not (given.watch and console.is_terminal):
        for part in first:
            console.print(part, soft_wrap=isinstance(part, Text))
        return
    # a terminal that is closed or a kill give the cursor back as well
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    with Live(Group(*first), console=console, auto_refresh=False) as live:
        while True:
            began = time.monotonic()
            live.update(Group(*look_at(*what)), refresh=True)
            time.sleep(max(EVERY_S, SHARE * (time.monotonic() - began)))


if __name__ == "__main__":
    try:
        exit_plainly(main)
    except KeyboardInterrupt:
        sys.exit(0)
