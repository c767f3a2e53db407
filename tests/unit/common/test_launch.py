"""The start of a program: what is checked before it, and how a start that fails or hangs is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import ROOT
from sociolect.common.heartbeat import read_beat
from sociolect.slurm.runs import process_started


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


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGBUS", "SIGILL", "SIGABRT"])
def test_signal_that_ends_a_program_is_its_last_line(tmp_path: Path, name: str) -> None:
    program, beat = tmp_path / "a_program.py", tmp_path / "a.beat"
    program.write_text(f"import os, signal\nos.kill(os.getpid(), signal.{name})\n")
    code, log = start(program, "--heartbeat", str(beat))
    assert code == 128 + getattr(signal, name)
    assert log.splitlines()[-1] == f"error: killed by {name} in stage imports"
    assert (read_beat(beat) or {})["message"] == f"killed by {name} in stage imports"
    assert ("Fatal Python error" in log and "a_program.py" in log) == (name != "SIGKILL")


def test_signal_sent_on_purpose_ends_the_program_and_adds_no_word(tmp_path: Path) -> None:
    program = tmp_path / "a_program.py"
    program.write_text("import os, signal\nos.kill(os.getppid(), signal.SIGTERM)\nsignal.pause()\n")
    code, log = start(program)
    assert code == 128 + signal.SIGTERM and len(log.splitlines()) == 1


def test_program_does_not_outlive_what_started_it(tmp_path: Path) -> None:
    program, pid = tmp_path / "a_program.py", tmp_path / "pid"
    text = f"import os, signal\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\n"
    program.write_text(text + "os.kill(os.getppid(), signal.SIGKILL)\nsignal.pause()\n")
    assert start(program)[0] == -signal.SIGKILL
    deadline = time.monotonic() + 5
    while process_started(int(pid.read_text())) >= 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process_started(int(pid.read_text())) < 0


def test_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, log = start(tmp_path / "nowhere.py")
    assert code == 1 and log.splitlines()[-1].startswith("error: no program nowhere: ")


def test_missing_package_is_the_last_line(tmp_path: Path) -> None:
    program = tmp_path / "a_program.py"
    program.write_text("import a_package_that_is_not_there\n")
    code, log = start(program, "--heartbeat", str(tmp_path / "b.beat"))
    assert code == 1
    assert log.splitlines()[-1].startswith("error: a_program: ModuleNotFoundError: No module named 'a_package_that")
    assert (read_beat(tmp_path / "b.beat") or {})["ended"] == "failed"
