"""Programs that fit or measure on parts refuse an author or a question that is in two of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from conftest import ROOT
from made_tables import planted
from sociolect.common.artifacts import write_table
from sociolect.common.flags import declared_flags
from sociolect.common.schemas import EMBEDDINGS, LABELS, SAMPLES

SCRIPTS = ROOT / "workflow" / "scripts"
FIT = ("tune_embedding", "train_embedding", "profile_groups", "measure_accuracy", "measure_topic", "measure_stability")
SETTINGS = {"measure_topic": '{"topic": {}, "embedding": {}, "profiles": {}}'}


@pytest.mark.parametrize("program", [*FIT, "draw_distillation"])
def test_a_planted_author_on_both_sides_ends_with_its_name(program: str, tmp_path: Path) -> None:
    frame = planted(24).with_columns(question=pl.lit("What?"), answer=pl.lit("This."))
    torn = frame.with_columns(author=pl.when(pl.col("answer_id") == "a0006").then(pl.lit("u0000")).otherwise("author"))
    write_table(torn, tmp_path / "samples.parquet", SAMPLES)
    write_table(frame, tmp_path / "labels.parquet", LABELS)
    write_table(frame.rename({"style": "embedding"}), tmp_path / "embeddings.parquet", EMBEDDINGS)
    files = {"ask": "samples.parquet"} | {name: f"{name}.parquet" for name in ("samples", "labels", "embeddings")}
    flags = declared_flags(SCRIPTS / f"{program}.py")
    options = {"splits": "single", "group_parents": "{}"}
    command = [sys.executable, str(SCRIPTS / f"{program}.py"), "--settings", SETTINGS.get(program, "{}")]
    for name in flags.inputs:
        command += [f"--{name}", str(tmp_path / files.get(name, "absent"))]
    for name in flags.outputs:
        command += [f"--{name}", str(tmp_path / f"{name}.made")]
    for name in flags.options:
        command += [f"--{name.replace('_', '-')}", options[name]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: author 'u0000' is in the parts train (answer 'a0000') and val (answer 'a0006')"), (
        last
    )
    assert not list(tmp_path.glob("*.made"))
