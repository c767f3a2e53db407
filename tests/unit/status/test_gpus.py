"""What GPUs do: nvidia-smi's answer, whatever it looks like, and what heartbeats say."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from sociolect.status.gpus import QUERY, beat_gpu, machine_gpus

ANSWER = """0, NVIDIA H100 80GB HBM3, 87, 34012, 81559
1, NVIDIA A100-SXM4-80GB MIG 1g.10gb, [N/A], 13, 9728
2, "Odd, Inc.", [Not Supported], [N/A], [N/A]
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An nvidia-smi before any other on PATH."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return program


def test_every_gpu_is_a_line_and_what_it_does_not_tell_is_left_out(fake: Path) -> None:
    fake.with_name("answer").write_text(ANSWER)
    assert [gpu.said for gpu in machine_gpus()] == [
        "GPU 0, NVIDIA H100 80GB HBM3: 87 %, 35.7 of 85.5 GB",
        "GPU 1, NVIDIA A100-SXM4-80GB MIG 1g.10gb: 0.0136 of 10.2 GB",
        "GPU 2, Odd, Inc.: it does not tell",
    ]


def test_an_nvidia_smi_that_fails_or_is_not_there_has_no_gpus(fake: Path) -> None:
    fake.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed because it could not communicate'\nexit 9\n")
    assert machine_gpus() == []
    assert machine_gpus(["/no/nvidia-smi", *QUERY[1:]]) == []


def test_an_nvidia_smi_that_hangs_is_not_waited_for() -> None:
    began = time.monotonic()
    hangs = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"]
    assert machine_gpus(hangs, patience=0.2) == []
    assert time.monotonic() - began < 20


def test_a_heartbeat_says_what_its_job_has() -> None:
    assert beat_gpu({"gpu": {"held": 12_300_000_000, "total": 80_000_000_000, "busy": 64}}) == "64 %, 12.3 of 80 GB"
    assert beat_gpu({"gpu": {"held": 12_300_000_000, "total": 80_000_000_000}}) == "12.3 of 80 GB"
    # a job without a GPU, and one of an earlier version
    assert beat_gpu({"gpu": {}}) == beat_gpu({"stage": "begin"}) == ""
