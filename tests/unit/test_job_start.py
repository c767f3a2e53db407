"""The start of a job, without a cluster: what job_env.sh checks and leaves, and what start_program.py sees to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sociolect.common.heartbeat import overdue_s, read_beat, write_beat

ROOT = Path(__file__).resolve().parents[2]


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


def start(
    program: Path, *flags: str, interpreter: str = sys.executable, gpus: str = "0", **variables: str
) -> tuple[int, str]:
    """Start a program in the library's way; exit code and log."""
    code = (
        "import sys; from pathlib import Path; from sociolect.common.launch import launch; "
        "launch(Path(sys.argv[1]), sys.argv[4:], sys.argv[2], sys.argv[3])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts"), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code, str(program), interpreter, gpus, *flags],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "a_program.py"
    path.write_text("import os, sys\nprint(sys.argv[1:], os.environ.get('CUDA_VISIBLE_DEVICES'), file=sys.stderr)\n")
    return path


def test_program_says_that_it_starts_and_gets_its_own_flags(program: Path) -> None:
    code, log = start(program, "--a", "b")
    assert code == 0
    first, second = log.splitlines()
    assert first.startswith("[start] program=a_program job=- node=") and f"python={sys.executable}" in first
    assert second.startswith("['--a', 'b']")


def test_wrong_python_is_named_before_anything_is_imported(program: Path) -> None:
    code, log = start(program, interpreter="/opt/meant/bin/python")
    assert code == 1 and f"error: wrong Python: {sys.executable} runs this" in log and "/opt/meant" in log
    assert start(program, interpreter="python")[0] == 0, "conda decides: a bare name is not checked"


def test_gpus_that_are_needed_must_be_seen_and_others_are_hidden(program: Path) -> None:
    job = {"SLURM_JOB_ID": "7"}
    code, log = start(program, gpus="1", CUDA_VISIBLE_DEVICES="", **job)
    assert code == 1 and "error: no GPU for a program that needs one: wanted 1, SLURM shows 0" in log
    assert start(program, gpus="0", CUDA_VISIBLE_DEVICES="0,1", **job)[1].strip().endswith("[]")
    assert "0,1" in start(program, gpus="any", CUDA_VISIBLE_DEVICES="0,1", **job)[1].splitlines()[-1]
    # outside of a job nothing is checked or hidden
    assert "0,1" in start(program, gpus="0", CUDA_VISIBLE_DEVICES="0,1", SLURM_JOB_ID="")[1].splitlines()[-1]


def test_gpu_that_torch_cannot_use_fails_before_the_program(program: Path, tmp_path: Path) -> None:
    beat = tmp_path / "a.beat"
    code, log = start(program, "--heartbeat", str(beat), gpus="1", CUDA_VISIBLE_DEVICES="99", SLURM_JOB_ID="7")
    assert code == 1 and "error: SLURM gave a GPU, torch cannot use it" in log
    assert "[]" not in log.splitlines()[-1], "the program did not run"


def test_import_that_hangs_is_ended_and_named(tmp_path: Path) -> None:
    (tmp_path / "slow_library.py").write_text("import time\ntime.sleep(60)\n")
    program = tmp_path / "label_answers.py"
    program.write_text(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport slow_library\n")
    beat = tmp_path / "a.log.beat"
    code, log = start(program, "--heartbeat", str(beat), SOCIOLECT_IMPORT_LIMIT_S="1")
    assert code == 1 and "Timeout (0:00:01)!" in log and "slow_library.py" in log and "label_answers.py" in log
    assert (read_beat(beat) or {})["stage"] == "imports"


def test_missing_package_is_the_last_line(tmp_path: Path) -> None:
    program = tmp_path / "a_program.py"
    program.write_text("import a_package_that_is_not_there\n")
    code, log = start(program, "--heartbeat", str(tmp_path / "b.beat"))
    assert code == 1
    assert log.splitlines()[-1].startswith("error: a_program: ModuleNotFoundError: No module named 'a_package_that")
    assert (read_beat(tmp_path / "b.beat") or {})["ended"] == "failed"


def test_stage_is_overdue_only_beyond_its_own_limit_and_never_once_it_ended(tmp_path: Path) -> None:
    write_beat(tmp_path / "b", "device")
    beat = read_beat(tmp_path / "b") or {}
    assert overdue_s(beat, beat["time"] + 300) == 0 and overdue_s(beat, beat["time"] + 301) == pytest.approx(1)
    assert overdue_s({**beat, "ended": "failed"}, beat["time"] + 1e6) == 0
    (tmp_path / "b").write_text('{"half')
    assert read_beat(tmp_path / "b") is None
