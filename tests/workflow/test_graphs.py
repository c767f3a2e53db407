"""Graphs for debugging, single targets, and a DAG that resolves for all configs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import snakemake


def test_graphs_are_drawn(project: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "workflow/scripts/draw_graphs.py",
            *("--snakemake", str(Path(sys.executable).with_name("snakemake"))),
            *("--configfile", "config/demo.yaml", "--folder", "graphs"),
        ],
        cwd=project,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for kind in ("rulegraph", "dag"):
        mermaid = (project / f"graphs/{kind}.mmd").read_text()
        assert "train_sfam" in mermaid and "-->" in mermaid
    assert (project / "graphs/dag.dot").read_text().count("label_answers") > (
        project / "graphs/rulegraph.dot"
    ).read_text().count("label_answers")
    if shutil.which("dot"):
        assert "<svg" in (project / "graphs/rulegraph.svg").read_text()


@pytest.mark.parametrize("config", ["scratch", "config"])
def test_dag_resolves(project: Path, config: str) -> None:
    for split in ("single", "multi", "askx"):
        (project / "data").mkdir(exist_ok=True)
        (project / f"data/{split}.parquet").touch()
    text = snakemake(project, "--dry-run", "--configfile", f"config/{config}.yaml").stdout
    assert "compare_conditions" in text
    assert ("fetch_model" in text) == (config == "config")


def test_one_target_needs_no_more_than_its_ancestors(project: Path) -> None:
    text = snakemake(project, "--dry-run", "results/demo/groups/main.parquet").stdout
    assert "profile_groups" in text and "train_sfam" in text
    assert "generate_answers" not in text and "train_scratch_lm" not in text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sfam: {learning_rat: 1}", "known keys here: batch_size"),
        ("sampling: {parts: {train: 0.9, val: 0.2, test: 0.1}}", "must add up to 1"),
        ("experiments: {main: {fit: [single], ask: other}}", "experiments.main.ask"),
    ],
)
def test_bad_config_names_the_key(project: Path, line: str, message: str) -> None:
    base = "run: x\nexperiments: {main: {fit: [single], ask: askx}}\ncorpus: {source: demo}\n"
    (project / "bad.yaml").write_text("\n".join(k for k in base.splitlines() if k[:5] != line[:5]) + f"\n{line}\n")
    done = snakemake(project, "--dry-run", "--configfile", "bad.yaml", check=False)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


def test_no_profile_that_overrides_the_others(project: Path) -> None:
    assert not (project / "profiles/default").exists()
