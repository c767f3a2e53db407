"""Check a site before anything is submitted, and print a table; exit 1 if something must be mended first."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies
from rich.console import Console
from rich.table import Table

from sociolect.common.errors import exit_plainly
from sociolect.common.yaml_files import read_mapping
from sociolect.settings.config import read_config
from sociolect.slurm import doctor
from sociolect.slurm.history import CAUSES
from sociolect.slurm.runs import STATE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", type=Path, default=Path("profiles/slurm/config.yaml"))
    parser.add_argument("--configfile", type=Path, required=True)
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to wait for each probe job")
    parser.add_argument("--no-probe", action="store_true", help="submit nothing")
    given = parser.parse_args()
    project = Path.cwd()
    config = read_config(given.configfile)
    requests = doctor.requests_of(read_mapping(given.profile))
    checks = [*doctor.check_environment(project), *doctor.check_disk(project)]
    checks += doctor.check_models(config.models, Path("results") / config.run / "models", given.configfile)
    checks += doctor.check_server(config)
    slurm = [*doctor.check_paths(project, given.configfile), *doctor.check_slurm()]
    checks += slurm
    if not any(check.verdict == "FAIL" for check in slurm):
        profile = list(doctor.check_profile(requests))
        checks += [*profile, *doctor.check_records(project / STATE)]
        wrong = {check.what for check in profile if check.verdict == "FAIL"}
        for request in [] if given.no_probe else requests:
            if str(request) not in wrong:
                print(f"probing: {request} ...", file=sys.stderr, flush=True)
                checks.append(doctor.probe(request, project, CAUSES, given.patience))
    table = Table("check", "", "found", "do")
    for check in checks:
        table.add_row(check.what, check.verdict, check.found, check.remedy)
    Console().print(table)
    sys.exit(any(check.verdict == "FAIL" for check in checks))


if __name__ == "__main__":
    exit_plainly(main)
