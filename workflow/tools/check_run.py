"""Say all that is wrong with a run before it starts: its config, and the tables, prompts, models, disk and packages
that the config counts on. One line for each fault; exit 1 where there is one."""

from __future__ import annotations

import argparse
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.errors import InputError, exit_plainly
from sociolect.common.yaml_files import read_mapping

PROJECT = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, required=True)
    parser.add_argument("--readable", action="store_true", help="whether it is YAML, and nothing else")
    given = parser.parse_args()
    if given.readable:
        read_mapping(given.configfile)
    else:
        check(given.configfile)


def check(configfile: Path) -> None:
    """Print all that is wrong with a run.

    Raises:
        InputError: something is.
    """
    values = read_mapping(configfile)
    print(f"checking {configfile} ...", flush=True)
    # imported here: the first line is there at once
    from sociolect.preflight.run_faults import run_faults

    _, lines = run_faults(values, str(configfile), [configfile], PROJECT, ask_server=True)
    print(*lines, sep="\n", end="\n" if lines else "")
    if lines:
        count = len(lines)
        raise InputError(f"{count} fault{'s' if count > 1 else ''} in {configfile}; mend them, then check again")
    print("nothing is wrong: config, tables, prompt files, models, disk, packages")


if __name__ == "__main__":
    exit_plainly(main)
