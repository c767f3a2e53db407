"""A killed run resumes, and its data are byte for byte those of an unbroken run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import snakemake

CASES = {
    "labeling": ("results/demo/labels/single.parquet", "cache/labels/single", "labels/single"),
    "generation": ("results/demo/generations/main.parquet", "cache/generations/main", "generations/main"),
}


@pytest.mark.parametrize("case", CASES)
def test_killed_run_resumes_byte_identically(demo_copy: Path, case: str) -> None:
    target, cache, shards = CASES[case]
    run = demo_copy / "results/demo"
    whole = (demo_copy / target).read_bytes()
    for path in (demo_copy / target, *(run / cache).rglob("*.parquet"), *(run / shards).glob("*.parquet")):
        path.unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--profile", "profiles/local", "--", target],
        cwd=demo_copy,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not list((run / cache).rglob("*.parquet")) and time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in (run / cache).rglob("*.parquet")}
    assert done, "no piece was finished before the kill"
    assert not (demo_copy / target).exists()
    snakemake(demo_copy, "--unlock")
    snakemake(demo_copy, "--profile", "profiles/local", "--", target)
    assert (demo_copy / target).read_bytes() == whole
    assert {path: path.stat().st_mtime_ns for path in done} == done, "a finished piece was made again"


WRITER = """
import os, signal, sys
from pathlib import Path
import polars as pl, pyarrow.parquet as pq
from sociolect.common import artifacts
from sociolect.common.schemas import LABELS
import numpy as np

frame = pl.DataFrame({"answer_id": [str(i) for i in range(20000)]}).with_columns(
    artifacts.vectors(np.random.default_rng(0).random((20000, 64)), "style"))
real = pq.write_table

def dies_in_the_middle(table, where, **options):
    real(table, where, **options)
    size = os.path.getsize(where)
    os.truncate(where, size // 2)
    os.kill(os.getpid(), signal.SIGKILL)

pq.write_table = dies_in_the_middle if sys.argv[2] == "die" else real
artifacts.write_table(frame, Path(sys.argv[1]), LABELS)
"""


def test_kill_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    scripts = Path(__file__).resolve().parents[2] / "workflow/scripts"
    run = [sys.executable, "-c", WRITER, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(scripts)}
    assert subprocess.run([*run, "die"], env=environment).returncode == -signal.SIGKILL
    assert not path.exists()
    assert subprocess.run([*run, "write"], env=environment).returncode == 0
    whole = path.read_bytes()
    assert subprocess.run([*run, "die"], env=environment).returncode == -signal.SIGKILL
    assert path.read_bytes() == whole
