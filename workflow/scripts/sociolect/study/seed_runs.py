"""The runs of the steering study, and what is read of each."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sociolect.common.artifacts import read_table
from sociolect.common.files import read_json
from sociolect.common.schemas import BY_JUDGE, CATALOGUE, JUDGED, SCORES, TRUTH
from sociolect.evaluation.comparison import of_all_groups
from sociolect.settings.config import Config
from sociolect.study.pooled_seeds import SeedRun

__all__ = ["read_run", "runs_of"]


def runs_of(config: Config) -> dict[str, int]:
    """Name -> seed of each run: the config's own first."""
    more = range(config.seed + 1, config.seed + config.study.run_seeds)
    return {config.run: config.seed, **{f"{config.run}-seed{seed}": seed for seed in more}}


def read_run(folder: Path, experiment: str, seed: int, config: Config) -> SeedRun:
    """What a finished run left for an experiment.

    Args:
        folder: of the run's results.
        experiment: name.
        seed: of the run.
        config: whether the corpus was made up, so that it is known what was planted.

    Raises:
        InputError: a table is missing or wrong.
    """
    planted: dict[str, list[str]] = {}
    if config.corpus.source == "demo":
        truth = read_table(folder / "demo/truth.parquet", TRUTH).filter(pl.col("kind") != "base")
        planted = {str(g): rows["attribute"].to_list() for (g,), rows in truth.group_by("group")}
    scores = of_all_groups(read_table(folder / f"scores/{experiment}.parquet", SCORES))
    return SeedRun(
        seed,
        scores,
        read_table(folder / f"scores/{experiment}.judged.parquet", JUDGED),
        read_table(folder / f"comparison/{experiment}.judges.parquet", BY_JUDGE),
        read_json(folder / f"steering/{experiment}.choice.json"),
        read_json(folder / f"steering/{experiment}.weights.json"),
        read_table(folder / "attributes/catalogue.parquet", CATALOGUE)["attribute"].to_list(),
        planted,
    )
