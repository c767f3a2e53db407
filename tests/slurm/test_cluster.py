"""The test cluster is a real one: it hands out GPUs, limits memory, and survives what is done to it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from slurm.cluster import NODES, Cluster, ClusterError

SHOW_GPUS = 'echo "node=$SLURMD_NODENAME gpus=${CUDA_VISIBLE_DEVICES-none}"'


def test_gpu_job_gets_a_gpu_of_the_model_it_asked_for(cluster: Cluster) -> None:
    job = cluster.submit(SHOW_GPUS, "--gpus=a100:1")
    cluster.wait_job(job)
    assert cluster.output(job) == "node=node01 gpus=0\n"
    assert "gres/gpu:a100=1" in cluster.alloc_tres(job).split(",")


def test_cpu_job_sees_no_gpu(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")  # the test machine's own GPUs must not reach a job
    job = cluster.submit(SHOW_GPUS, "--nodelist=node01")
    cluster.wait_job(job)
    assert cluster.output(job) == "node=node01 gpus=none\n"
    assert "gpu" not in cluster.alloc_tres(job)


def test_job_over_its_memory_is_killed(cluster: Cluster) -> None:
    hold = f"{sys.executable} -c 'held = bytearray(400 << 20); import time; time.sleep(20)'"
    job = cluster.submit(f"{hold} && echo survived", "--mem=100")
    cluster.wait_job(job)
    assert "survived" not in cluster.output(job)
    states = {row["State"] for row in cluster.sacct(job)}
    if cluster.memory_kind == "cgroup":
        assert "OUT_OF_MEMORY" in states
    else:  # slurmd kills it, and the accounting does not know why
        assert "exceeded memory limit" in cluster.output(job)
        assert states & {"FAILED", "OUT_OF_MEMORY"}


def test_changed_node_differs_alone_and_only_for_a_while(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    show = f'echo "$SLURMD_NODENAME $(ls {tmp_path}) $TMPDIR"'

    def seen() -> list[str]:
        jobs = [cluster.submit(show, f"--nodelist={node}", "--export=ALL,TMPDIR=/tmp") for node in NODES]
        for job in jobs:
            cluster.wait_job(job)
        return [cluster.output(job).strip() for job in jobs]

    usual = [f"{node} file /tmp" for node in NODES]
    with cluster.changed_node("node02", [f"mount -t tmpfs none {tmp_path}"], env={"TMPDIR": "/missing"}):
        assert seen() == [usual[0], "node02  /missing", usual[2]]
    assert seen() == usual
    assert (tmp_path / "file").exists()


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_job_outlives_the_controller(cluster: Cluster, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = cluster.submit(f"until [ -e {go} ]; do sleep 0.1; done; echo done")
    wait_until(lambda: [row["State"] for row in cluster.jobs()] == ["RUNNING"])
    cluster.kill_controller()
    with pytest.raises((ClusterError, subprocess.TimeoutExpired)):
        cluster.run("squeue", timeout=2)
    cluster.start_controller()
    assert [(row["JobID"], row["State"]) for row in cluster.jobs()] == [(str(job), "RUNNING")]
    go.touch()
    cluster.wait_job(job)
    assert cluster.output(job) == "done\n"
    assert cluster.sacct(job)[0]["State"] == "COMPLETED"
