"""The embedding study on the demo: each cell a job, a table, a page."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import yaml

from conftest import snakemake
from sociolect.common import schemas
from sociolect.common.artifacts import read_table
from sociolect.settings.config import read_config
from sociolect.settings.study import StudySettings, cells_of

STUDY = "results/demo/study/embedding/main"


def config_of(project: Path, **study: object) -> str:
    values = yaml.safe_load((project / "config/demo.yaml").read_text()) | {"study": study}
    (project / "studied.yaml").write_text(yaml.safe_dump(values))
    return "studied.yaml"


def test_the_grid_is_planned_cell_by_cell(project: Path) -> None:
    planned = snakemake(project, "--dry-run", "--configfile", "config/demo.yaml", "--", "study_embedding").stdout
    parents = bool(read_config(project / "config/demo.yaml").group_parents)
    for cell in cells_of(StudySettings().axes, parents, False):
        assert f"{STUDY}/cells/{cell}.parquet" in planned
    # no part of a run that nobody asked to study
    assert "fit_cell" not in snakemake(project, "--dry-run", "--configfile", "config/demo.yaml").stdout


def test_cells_are_fitted_compared_and_drawn(demo_copy: Path) -> None:
    config = config_of(demo_copy, axes=["ceiling"], n_trials=2, n_seeds=1, resamples=200)
    snakemake(demo_copy, "--configfile", config, "--", "study_embedding")
    table = read_table(demo_copy / f"{STUDY}.parquet", schemas.STUDY)
    test = table.filter(pl.col("part") == "test", pl.col("level") == "leaf")
    assert set(test["cell"]) == set(cells_of(("ceiling",), False, False))
    assert (test.filter(pl.col("center").is_in(["", "mean_embedding"]))["pairwise"] > 0.85).all()
    page = (demo_copy / f"{STUDY}.md").read_text()
    assert "style vectors, logistic regression: 0." in page and "minus the reference" in page
    drawn = (demo_copy / f"{STUDY}.html").read_text()
    # a map and a confusion; without its axis there is no learning curve
    assert drawn.count("<svg") == 2 and "Learning curve" not in drawn
    # another axis fits its own cells and leaves the others alone
    more = snakemake(
        demo_copy, "--dry-run", "--configfile",
        config_of(demo_copy, axes=["ceiling", "input"], n_trials=2, n_seeds=1, resamples=200), "--", "study_embedding",
    ).stdout  # fmt: skip
    assert more.count("rule fit_cell:") == 1 and "input-whitened" in more
