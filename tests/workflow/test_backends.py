"""The demo on vLLM: the same tables, and nothing redone that does not generate."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from conftest import ROOT, skip_here, snakemake
from sociolect.common.artifacts import read_provenance

STAGES = ("description", "activations", "sweep", "generation")
ON_VLLM = ["--config", *(f"{stage}={{backend: vllm}}" for stage in STAGES)]
# what generates, and what follows from it
SWEPT = {"answer_unsteered", "try_method", "choose_strength", "choose_wording", "plan_requests", "answer_adapted"}
REDONE = SWEPT | {
    *("generate_answers", "gather_generations", "measure_fluency", "label_answers", "gather_labels"),
    *("judge_answers", "score_generations", "compare_conditions", "compare_judges", "show_examples", "write_report"),
    "write_explorer",
}


def jobs_of(output: str) -> set[str]:
    """Rules in Snakemake's table of what it runs."""
    return set(re.findall(r"^([a-z_]+) +\d+$", output, re.MULTILINE)) - {"all", "total"}


@pytest.fixture
def copy(demo_copy: Path) -> Path:
    """The finished demo, with vLLM's environment."""
    if not (ROOT / ".venv-vllm" / "bin" / "python").is_file():
        skip_here("there is no .venv-vllm: make setup-vllm")
    (demo_copy / ".venv-vllm").symlink_to(ROOT / ".venv-vllm")
    return demo_copy


def test_tables_of_both_backends_agree(copy: Path) -> None:
    results = copy / "results" / "demo"
    before = pl.read_parquet(results / "comparison" / "main.parquet")
    said = pl.read_parquet(results / "generations" / "main.parquet")
    everything = snakemake(copy, "-n", *ON_VLLM)
    assert jobs_of(everything.stdout + everything.stderr) == REDONE
    done = snakemake(copy, "--profile", "profiles/local", "--config", "generation={backend: vllm}")
    assert jobs_of(done.stderr) == REDONE - SWEPT

    info = read_provenance(results / "generations" / "main" / "1-of-2.parquet")["backend"]
    assert info["backend"] == "vllm" and info["steering"] == "eager"
    assert f"vllm=={info['vllm']}" in (ROOT / "envs" / "vllm-gpu.txt").read_text().splitlines()
    now = pl.read_parquet(results / "generations" / "main.parquet")
    assert now["request_id"].equals(said["request_id"]) and now["seed"].equals(said["seed"])
    # float32 and the draws of the reference: only near ties may differ
    assert np.mean((now["text"] == said["text"]).to_numpy()) > 0.98
    after = pl.read_parquet(results / "comparison" / "main.parquet")
    assert after["condition"].equals(before["condition"])
    for name in ("group_change_rate", "correct_change_rate", "direction_distance"):
        for old, new in zip(before.iter_rows(named=True), after.iter_rows(named=True), strict=True):
            if old[name] is not None:
                assert old[f"{name}_low"] <= new[name] <= old[f"{name}_high"], (name, old["condition"])


def test_a_method_is_tried_on_vllm_as_on_the_reference(copy: Path) -> None:
    """One of them: each has to start an engine."""
    file = copy / "results/demo/steering/main/tried/all.parquet"
    before = pl.read_parquet(file)
    snakemake(copy, "--profile", "profiles/local", *ON_VLLM, "--", file.relative_to(copy).as_posix())
    assert read_provenance(file)["backend"]["backend"] == "vllm"
    after = pl.read_parquet(file)
    # all are tried on the first round's questions, and the same ones go on
    assert after.select("layers", "alpha", "n").equals(before.select("layers", "alpha", "n"))
    assert np.abs((after["gain"] - before["gain"]).to_numpy()).max() <= 0.05
    assert after.filter("best").select("layers", "alpha").equals(before.filter("best").select("layers", "alpha"))


def test_missing_environment_is_named(project: Path) -> None:
    done = snakemake(project, "-n", *ON_VLLM, check=False)
    assert done.returncode and "there is no .venv-vllm: make setup-vllm" in done.stdout + done.stderr


def test_key_of_vllm_reruns_only_what_uses_it(copy: Path) -> None:
    # a stage that generates nothing stays with the core environment, whatever its backend
    key = ["--config", "vllm={slots: 7}", *ON_VLLM[1:3]]
    done = snakemake(copy, "-n", *key)
    assert "Nothing to be done" in done.stdout + done.stderr
    only = snakemake(copy, "-n", "--config", "vllm={slots: 7}", "generation={backend: vllm}")
    assert jobs_of(only.stdout + only.stderr) == REDONE - SWEPT
