"""estimate_cost: what only a server knows is left out, and said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import ROOT
from made_tables import make, samples
from sociolect.common.artifacts import read_table, write_table
from sociolect.common.schemas import ESTIMATE, RATES, SAMPLES
from sociolect.settings.config import load_config, section
from sociolect.settings.estimate import EstimateJob

PROBES = ("imports", "loading", "scratch_lm", "sfam_training", "teacher", "activations", "generation", "fluency")


def test_prompts_to_a_server_are_counted_and_left_out(tmp_path: Path) -> None:
    rows = [r for g in "xy" for part in ("train", "val", "test") for r in make(f"{g}{part}", g, part, 4)]
    write_table(samples(rows), tmp_path / "single.parquet", SAMPLES)
    rates = RATES.frame([(name, "unit", 1, 1.0, 0.5, "cpu", "float32", 1) for name in PROBES])
    write_table(rates, tmp_path / "rates.parquet", RATES)
    described = {"backend": "server", "server": {"address": "http://localhost:1/v1", "model": "m"}, "n_heldout": 2}
    values = {"run": "x", "experiments": {"m": {"fit": ["single"], "ask": "single"}}, "description": described}
    settings = section(load_config(values, "here"), *EstimateJob.model_fields)
    prompts = ROOT / "workflow/prompts/describe.yaml"
    command = [sys.executable, ROOT / "workflow/scripts/estimate_cost.py", "--samples", tmp_path / "single.parquet"]
    command += ["--splits", "single", "--rates", tmp_path / "rates.parquet", "--describing", prompts]
    command += ["--estimate", tmp_path / "estimate.parquet", "--settings", json.dumps(settings)]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # 8 train answers, 2 of val and 2 of test, 8 questions about each
    assert "at most 96 prompts to a server are not part of the estimate" in done.stderr
    rules = set(read_table(tmp_path / "estimate.parquet", ESTIMATE)["rule"])
    assert "describe_style" not in rules and "extract_activations" in rules
