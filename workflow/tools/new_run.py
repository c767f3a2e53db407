"""Write the config of a new run: one of config/ with its comments, and sizes proposed from the tables; then check it.

Without a name, on a terminal, it asks for what no flag says.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies
import yaml
from check_run import check

from sociolect.common.errors import exit_plainly
from sociolect.common.files import write_text
from sociolect.preflight.new_config import new_config
from sociolect.preflight.run_choices import BASES, SCORERS, choose
from sociolect.preflight.sizes import experiments_for, find_tables, minimum_for, read_sizes
from sociolect.settings.config import load_config, read_config

CONFIGS = Path(__file__).resolve().parents[2] / "config"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="", help="name of the run; its config is config/<run>.yaml")
    parser.add_argument("--base", choices=tuple(BASES), default="", help="config that it is made of (laptop)")
    parser.add_argument("--data", default="", help="folder of the tables (data)")
    parser.add_argument("--scorer", choices=tuple(SCORERS), default="", help="labeling.scorer (that of the base)")
    given = parser.parse_args()
    chosen = choose(given.run, given.base, given.data, given.scorer, sys.stdin.isatty(), Path("config"))
    path, base = Path("config", f"{chosen.run}.yaml"), CONFIGS / f"{chosen.base}.yaml"
    tables = find_tables(chosen.data)
    sizes = read_sizes(tables, read_config(base).corpus)
    minima = {split: minimum_for(sizes[split], str(tables[split])) for split in tables}
    experiments = experiments_for(sizes, minima)
    paths = {split: table.as_posix() for split, table in tables.items()}
    text = new_config(base.read_text("utf-8"), chosen.run, paths, sizes, minima, experiments, chosen.scorer)
    # what the base says of how it is called holds for the new one
    text = text.replace(f"config/{chosen.base}.yaml", path.as_posix())
    # one that cannot be is not written
    load_config(yaml.safe_load(text), path.as_posix())
    head = f"# Made by `make new` of config/{chosen.base}.yaml and of the tables in {chosen.data.as_posix()}/.\n#\n"
    write_text(head + text, path)
    for split, minimum in minima.items():
        taking = [group for group, size in sizes[split].items() if size >= minimum]
        print(f"{split}: {len(taking)} of {len(sizes[split])} groups reach {minimum}: {', '.join(taking)}")
    print(f"experiments: {', '.join(f'{name} (fit {fit}, ask {ask})' for name, (fit, ask) in experiments.items())}")
    print(f"wrote {path}")
    check(path)


if __name__ == "__main__":
    exit_plainly(main)
