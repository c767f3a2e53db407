"""Write what others can use of a run: vectors, embedding net, style vectors and tables, each with its card."""

from __future__ import annotations

import argparse
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.errors import exit_plainly
from sociolect.export.export_folder import write_export
from sociolect.settings.config import read_config

MATERIAL = Path(__file__).resolve().parents[1] / "export"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, required=True, help="of a run that has ended")
    parser.add_argument("--out", type=Path, help="folder; results/<run>/export by default")
    parser.add_argument("--with-texts", action="store_true", help="texts of the corpus and generated ones, too")
    given = parser.parse_args()
    config = read_config(given.configfile)
    run = Path("results", config.run)
    folder = given.out or run / "export"
    write_export(config, run, MATERIAL, folder, given.with_texts)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        print(f"{path.stat().st_size:>10,}  {path}")


if __name__ == "__main__":
    exit_plainly(main)
