"""The start of a job, without a cluster: what job_env.sh checks and leaves."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from conftest import ROOT
from sociolect.common.heartbeat import write_beat


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A project folder with job_env.sh, pins, and an environment whose python prints what it was given."""
    (tmp_path / "profiles/slurm").mkdir(parents=True)
    (tmp_path / "profiles/slurm/job_env.sh").write_text((ROOT / "profiles/slurm/job_env.sh").read_text())
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/core.txt").write_text("a==1\n")
    (tmp_path / "envs/dev.txt").write_text("b==2\n")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/python"
    python.write_text('#!/bin/sh\n[ "$2" != snakemake ] || env\n[ "$2" != snakemake ] || eval "${THEN:-true}"\n')
    python.chmod(0o755)
    stamp(tmp_path)
    (tmp_path / "node").mkdir()
    return tmp_path


def stamp(site: Path) -> None:
    pins = b"".join((site / "envs" / name).read_bytes() for name in ("core.txt", "dev.txt"))
    summed = subprocess.run(["cksum"], input=pins, capture_output=True, check=True).stdout.split()[0].decode()
    (site / f".venv/.pins-{summed}").touch()


def job(site: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a batch script as the plugin writes it."""
    script = site / "slurm_script"
    python = f"{site}/.venv/bin/python"
    script.write_text(
        f"#!/bin/sh\n. profiles/slurm/job_env.sh && cd '{site}' && {python} -m snakemake --snakefile 'x' "
        "--target-jobs 'label_answers:texts=single,scatteritem=1-of-2' --attempt 2 --mode 'remote'\n"
    )
    slurm = {"SLURM_JOB_ID": "7", "SLURMD_NODENAME": "node02", "SLURM_JOB_NUM_NODES": "1", "USER": "u"}
    plain = {"PATH": os.environ["PATH"], "SOCIOLECT_BAD_NODE_WAIT_S": "0", "SOCIOLECT_TMP": str(site / "node")}
    return subprocess.run(
        ["sh", str(script)], cwd=site, env={**plain, **slurm, **variables}, capture_output=True, text=True, timeout=60
    )


def record(site: Path) -> str | None:
    path = site / ".snakemake/sociolect/bad_nodes/node02"
    return path.read_text() if path.exists() else None


def test_job_says_what_it_got_and_keeps_its_caches_on_the_node(site: Path) -> None:
    done = job(site, PYTHONPATH="/elsewhere", SLURM_GPUS_ON_NODE="1", CUDA_VISIBLE_DEVICES="1")
    assert done.returncode == 0, done.stderr
    start, *_, end = done.stderr.strip().splitlines()
    what = "rule=label_answers wildcards=texts=single,scatteritem=1-of-2 attempt=2 node=node02 gpus=1 cuda=1 export=ALL"
    for fact in [*what.split(), f"python={site}/.venv/bin/python"]:
        assert f" {fact} " in start
    assert end.startswith("[end] job=7 rc=0 seconds=")
    given = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    own = given["TMPDIR"]
    assert own.startswith(f"{site}/node/sociolect-{os.getuid()}-7.")
    assert given["MPLCONFIGDIR"].startswith(own) and given["TRITON_CACHE_DIR"].startswith(own)
    assert {given[name] for name in ("HF_HUB_OFFLINE", "PYTHONUNBUFFERED", "PIP_NO_INDEX", "PYTHONNOUSERSITE")} == {"1"}
    assert "PYTHONPATH" not in given
    assert not Path(own).exists(), "the caches stay behind"
    assert record(site) is None


def test_failed_job_keeps_the_ends_of_what_a_retry_writes_over(site: Path) -> None:
    log = site / "rule.log"
    log.write_text("first\nerror: the reason\n")
    write_beat(site / "rule.log.beat", "model", message='two\nlines, "quoted"')
    done = job(site, THEN=f'echo {site}/rule.log.beat >"$SOCIOLECT_JOB_TMP/heartbeat"; exit 3')
    assert done.returncode == 3
    lines = done.stderr.splitlines()
    assert "error: the reason" in lines and lines[-1].startswith("[end] job=7 rc=3")
    (beat,) = [json.loads(line.removeprefix("[heartbeat] ")) for line in lines if line.startswith("[heartbeat]")]
    assert beat["stage"] == "model" and beat["message"] == 'two\nlines, "quoted"'


def test_reading_ahead_that_finds_nothing_does_not_end_the_job(site: Path) -> None:
    done = job(site, SOCIOLECT_PREREAD="1")
    assert done.returncode == 0 and "SOCIOLECT_PREREAD: no libraries of torch" in done.stderr


def test_missing_interpreter_names_the_link_and_the_node(site: Path) -> None:
    python = site / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/opt/python/that/is/gone")
    done = job(site)
    assert done.returncode == 91
    assert f"[preflight 91] {python} is a link to /opt/python/that/is/gone, which is not on node02" in done.stderr
    when, number, reason = (record(site) or "").split(" ", 2)
    assert abs(time.time() - int(when)) < 60 and number == "7" and "gone" in reason


def test_several_nodes_are_refused_and_no_node_is_blamed(site: Path) -> None:
    done = job(site, SLURM_JOB_NUM_NODES="2", SLURM_JOB_NODELIST="node[01-02]")
    assert done.returncode == 92 and "[preflight 92] 2 nodes (node[01-02])" in done.stderr
    assert record(site) is None


def test_environment_that_is_being_made_or_made_for_other_pins_is_refused(site: Path) -> None:
    (site / "envs/core.txt").write_text("a==2\n")
    done = job(site)
    assert done.returncode == 94 and "has not the stamp .pins-" in done.stderr
    stamp(site)
    assert job(site).returncode == 0


def test_temporary_folder_falls_back_and_fails_only_if_none_is_left(site: Path) -> None:
    done = job(site, SOCIOLECT_TMP="/not/there", TMPDIR=str(site / "node"))
    assert done.returncode == 0 and "(not: /not/there is not there)" in done.stderr
    full = job(site, SOCIOLECT_TMP="/not/there", TMPDIR="/proc", SOCIOLECT_TMP_MB="999999999")
    assert full.returncode == 93 and "/not/there is not there; /proc cannot be written; /tmp has " in full.stderr
    assert "MB free, wanted 999999999" in (record(site) or "")


@pytest.mark.parametrize(
    ("says", "code", "driver"),
    [
        ("echo 550.54.15; echo 'WARNING: infoROM is corrupted at gpu 0000:3B:00.0'; exit 14", 0, "550.54.15"),
        ("echo 'WARNING: infoROM is corrupted at gpu 0000:3B:00.0' >&2; echo 550.54.15; exit 14", 0, "550.54.15"),
        ("echo 'No devices were found'; exit 6", 95, ""),
    ],
)
def test_gpu_that_works_beside_a_damaged_inforom_is_used(site: Path, says: str, code: int, driver: str) -> None:
    (site / "bin").mkdir()
    (site / "bin/nvidia-smi").write_text(f"#!/bin/sh\n{says}\n")
    (site / "bin/nvidia-smi").chmod(0o755)
    done = job(site, SLURM_GPUS_ON_NODE="1", PATH=f"{site}/bin:{os.environ['PATH']}")
    assert done.returncode == code and (record(site) is None) == (code == 0)
    assert f"[start] driver={driver}\n" in done.stderr if driver else "nvidia-smi failed: No devices" in done.stderr
