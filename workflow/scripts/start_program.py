"""Start a program of this folder: say so in its log, check interpreter and GPUs, watch its imports, then run it."""

from __future__ import annotations

import argparse
from pathlib import Path

from sociolect.common.launch import launch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interpreter", required=True, help="the Python that this must be; a bare name is not checked")
    parser.add_argument("--gpus", required=True, help="GPUs that the program needs in a SLURM job: 0, 1 ... or any")
    parser.add_argument("program", help="name of the program, without .py")
    parser.add_argument("flags", nargs=argparse.REMAINDER, help="the program's own flags")
    given = parser.parse_args()
    launch(Path(__file__).with_name(f"{given.program}.py"), given.flags, given.interpreter, given.gpus)


if __name__ == "__main__":
    main()
