"""Run the whole chain with several seeds, each a run of its own, and pool what they show of the steering.

The first seed is the config's, and its run the config's; the others are `<run>-seed<n>`.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.artifacts import write_table
from sociolect.common.errors import InputError, exit_plainly
from sociolect.common.files import write_text
from sociolect.common.schemas import BY_JUDGE, CONTRASTS
from sociolect.common.seeds import seed_of
from sociolect.settings.config import read_config
from sociolect.study.pooled_seeds import pool_seeds, pooled_judges_page, pooled_page
from sociolect.study.seed_runs import read_run, runs_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, required=True, help="config of the run")
    parser.add_argument("--override", nargs="*", default=[], help="key=value for Snakemake's --config")
    parser.add_argument("command", nargs="+", help="Snakemake with its options, without config and targets")
    flags = parser.parse_args()
    config = read_config(flags.configfile)
    runs = runs_of(config)
    for name, seed in runs.items():
        given = ["--configfile", str(flags.configfile), "--config", f"run={name}", f"seed={seed}", *flags.override]
        given += ["--", "table"]
        print(f"run {name}, seed {seed}", flush=True)
        if subprocess.run([*flags.command, *given], check=False).returncode:
            raise InputError(f"run {name}, seed {seed} failed, its lines above say why; the same command goes on there")
    folder = Path("results") / config.run / "study" / "steering"
    for experiment in config.experiments:
        found = [read_run(Path("results") / name, experiment, seed, config) for name, seed in runs.items()]
        seed = seed_of(config.seed, "study", "steering", experiment)
        pooled = pool_seeds(found, config.evaluation.resamples, seed, config.evaluation.confidence)
        provenance = {"program": "run_seeds", "seeds": list(runs.values())}
        write_table(pooled.table, folder / f"{experiment}.parquet", BY_JUDGE, provenance)
        write_table(pooled.contrasts, folder / f"{experiment}.contrasts.parquet", CONTRASTS, provenance)
        page = folder / f"{experiment}.md"
        write_text(pooled_page(f"Steering study: {experiment}", pooled), page)
        judges = pooled_judges_page(f"Steering study by judge: {experiment}", pooled)
        write_text(judges, page.with_suffix(".judges.md"))
        print(page)


if __name__ == "__main__":
    exit_plainly(main)
