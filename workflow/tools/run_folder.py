"""Print the folder of a config's run: results/<run>."""

from __future__ import annotations

import argparse
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.errors import exit_plainly
from sociolect.settings.config import read_config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, required=True)
    print(Path("results", read_config(parser.parse_args().configfile).run).as_posix())


if __name__ == "__main__":
    exit_plainly(main)
