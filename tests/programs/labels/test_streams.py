"""Labeling as a process: killed and resumed, in flat memory, with progress."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import streams as streams_of

from conftest import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"


pytestmark = pytest.mark.usefixtures("one_thread")


def streams(*arguments: object) -> subprocess.Popen[str]:
    """tests/programs/labels/streams.py as a program."""
    path = os.pathsep.join([str(SCRIPTS), str(Path(__file__).parent)])
    command = [sys.executable, str(Path(__file__).with_name("streams.py")), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})


def test_a_run_that_is_killed_twenty_times_loses_and_repeats_nothing(tmp_path: Path) -> None:
    streams_of.label_all(tmp_path / "unbroken")
    rng = random.Random(5)
    counts = [0]
    for _ in range(20):
        process = streams("label", tmp_path / "broken")
        assert process.stdout is not None
        # one line for each bucket that lies there already, two for each that is scored
        for _ in range(counts[-1] + rng.randint(1, 4)):
            assert process.stdout.readline(), "it was done before it was killed"
        time.sleep(rng.uniform(0, 0.01))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        counts.append(len(list((tmp_path / "broken").glob("*.parquet"))))
    assert counts == sorted(counts) and 10 < counts[-1] < streams_of.N_BUCKETS, counts
    # a killed run leaves nothing that looks whole; the next one takes what is there and scores the rest
    assert not (tmp_path / "broken.shard").exists()
    resumed = streams_of.label_all(tmp_path / "broken")
    assert resumed.n_scored == streams_of.N_BUCKETS - counts[-1]
    assert resumed.n_answers == streams_of.N_BUCKETS * streams_of.PER_BUCKET
    assert (tmp_path / "broken.shard").read_bytes() == (tmp_path / "unbroken.shard").read_bytes()
    whole = {p.name: p.read_bytes() for p in (tmp_path / "unbroken").iterdir()}
    assert {n: (tmp_path / "broken" / n).read_bytes() for n in whole} == whole


def test_memory_stays_flat_however_long_the_table(tmp_path: Path) -> None:
    peak = {}
    for n in (4000, 40000):
        folder = tmp_path / str(n)
        folder.mkdir()
        process = streams("memory", folder, n)
        peak[n] = float(process.communicate()[0])
        assert process.returncode == 0
    # 36 000 rows more are 72 MB of vectors and 72 MB of text, each more than once if they were held
    assert peak[40000] < peak[4000] + 60, peak


def test_progress_is_reported_within_a_bucket(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    streams_of.label_all(tmp_path / "buckets", lambda done, total, *_: said.append((done, total)))
    n = streams_of.N_BUCKETS * streams_of.PER_BUCKET
    assert len(said) > 1.5 * streams_of.N_BUCKETS and said == sorted(said) and said[-1] == (n, n)
