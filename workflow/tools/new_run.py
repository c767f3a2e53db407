"""Write the config of a new run: one of config/ with its comments, and sizes proposed from the tables."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.errors import InputError, exit_plainly
from sociolect.common.files import write_text
from sociolect.preflight.new_config import new_config
from sociolect.preflight.sizes import experiments_for, find_tables, minimum_for, read_sizes
from sociolect.settings.config import read_config

CONFIGS = Path(__file__).resolve().parents[2] / "config"
BASES = ("laptop", "scratch", "one-gpu", "config")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="name of the run; its config is config/<run>.yaml")
    parser.add_argument("--base", choices=BASES, default="laptop", help="config that it is made of")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the tables")
    given = parser.parse_args()
    path, base = Path("config", f"{given.run}.yaml"), CONFIGS / f"{given.base}.yaml"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", given.run):
        raise InputError(f"run {given.run!r}: write a letter, then letters, digits, _ and -: make new RUN=mine")
    if path.exists():
        raise InputError(f"{path}: there already; take another name, or remove it")
    tables = find_tables(given.data)
    sizes = read_sizes(tables, read_config(base).corpus)
    minima = {split: minimum_for(sizes[split], str(tables[split])) for split in tables}
    experiments = experiments_for(sizes, minima)
    paths = {split: table.as_posix() for split, table in tables.items()}
    text = new_config(base.read_text(encoding="utf-8"), given.run, paths, sizes, minima, experiments)
    # what the base says of how it is called holds for the new one
    text = text.replace(f"config/{given.base}.yaml", path.as_posix())
    write_text(
        f"# Made by `make new` of config/{given.base}.yaml and of the tables in {given.data.as_posix()}/.\n#\n{text}",
        path,
    )
    for split, minimum in minima.items():
        taking = [group for group, size in sizes[split].items() if size >= minimum]
        print(f"{split}: {len(taking)} of {len(sizes[split])} groups reach {minimum}: {', '.join(taking)}")
    print(f"experiments: {', '.join(f'{name} (fit {fit}, ask {ask})' for name, (fit, ask) in experiments.items())}")
    print(f"wrote {path}")


if __name__ == "__main__":
    exit_plainly(main)
