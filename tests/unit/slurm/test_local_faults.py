"""A job that failed on this machine: its own last word, whatever ended it, and no word of another run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from sociolect.common.heartbeat import write_beat
from sociolect.slurm.history import CAUSES
from sociolect.slurm.local_faults import failed_logs, fault_of
from sociolect.slurm.verdicts import read_causes

JOB = ("import_corpus", "single")
TABLE = read_causes(CAUSES)
START = "[start] program=import_corpus job=- node=vm pid=7 python=/env/python gpus=-\n09:20:14 begin: import_corpus\n"
BAD = "error: data/a.csv: row 5 (line 6) has 3 fields"


def log_of(results: Path, text: str, run: str = "mine", name: str = "import_corpus/single") -> Path:
    log = results / run / f"logs/{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text)
    return log


def beat_of(log: Path, **state: object) -> None:
    write_beat(log.with_name(log.name + ".beat"), "begin", **state)


def test_the_last_line_is_the_programs_own(tmp_path: Path) -> None:
    log = log_of(tmp_path, f"{START}error: an earlier one\n{BAD}\n")
    beat_of(log, ended="failed", message="x")
    assert fault_of(log, JOB, TABLE).splitlines() == [f"failed: import_corpus [single], log {log}", BAD]


def test_a_known_cause_has_its_remedy_above_the_programs_word(tmp_path: Path) -> None:
    log = log_of(tmp_path, f"{START}OSError: [Errno 28] No space left on device\nerror: x: OSError: full\n")
    first, do, last = fault_of(log, JOB, TABLE).splitlines()
    assert do.startswith("do: make room") and last == "error: x: OSError: full"
    assert first.startswith("failed: import_corpus [single]")


def test_a_killed_program_is_said_to_be_killed(tmp_path: Path) -> None:
    log = log_of(tmp_path, START)
    beat_of(log)
    assert fault_of(log, JOB, TABLE).splitlines()[-1].startswith("error: the program was killed in stage begin")


def test_a_program_that_never_began_is_not_blamed_with_an_old_log(tmp_path: Path) -> None:
    log = log_of(tmp_path, f"{START}{BAD}\n")
    beat_of(log, ended="failed")
    os.utime(log, (1000, 1000))
    assert "did not begin" in fault_of(log, JOB, TABLE, since=2000) and BAD not in fault_of(log, JOB, TABLE, since=2000)
    assert fault_of(log, JOB, TABLE, since=500).endswith(BAD)
    assert "did not begin" in fault_of(tmp_path / "mine/logs/none.log", JOB, TABLE)
    shell = log_of(tmp_path, "/usr/bin/bash: line 1: /no/python: No such file or directory\n", name="b")
    assert fault_of(shell, JOB, TABLE).endswith("error: /usr/bin/bash: line 1: /no/python: No such file or directory")


def test_programs_that_failed_or_were_killed_are_found_by_their_heartbeats(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    states: dict[str, dict[str, object]] = {
        "failed": {"ended": "failed"},
        "killed": {"pid": gone.pid},
        "running": {},
        "elsewhere": {"pid": gone.pid, "host": "another"},
        "on_a_cluster": {"ended": "failed", "job": "17"},
        "long_ago": {"ended": "failed", "time": time.time() - 5000},
    }
    for name, state in states.items():
        beat_of(log_of(tmp_path, START, name=name), **state)
    beat_of(log_of(tmp_path, START, run="logs", name="a/logs/y"), ended="failed")
    assert list(failed_logs(tmp_path, time.time() - 1000).values()) == [
        ("a", "logs/y"),
        ("failed", ""),
        ("killed", ""),
    ]


def test_an_exception_has_its_last_lines_as_they_stand_in_the_log_once(tmp_path: Path) -> None:
    raised = (
        "09:20:15 x failed\nTraceback (most recent call last):\n"
        '  File "/p/runtime.py", line 1, in run_program\n    main(job)\n'
        '  File "/p/x.py", line 7, in main\n    raise ValueError("made up")\nValueError: made up\n'
        "error: x: ValueError: made up\n"
    )
    log = log_of(tmp_path, START + raised)
    beat_of(log, ended="failed")
    _, *lines, do, last = fault_of(log, JOB, TABLE, context=True).splitlines()
    assert lines == [
        '  |   File "/p/runtime.py", line 1, in run_program',
        "  |     main(job)",
        '  |   File "/p/x.py", line 7, in main',
        '  |     raise ValueError("made up")',
    ]
    assert do.startswith("do: no known fault of a file") and last == "error: x: ValueError: made up"
    # what a user can mend says it itself, whatever went wrong and was got over before
    log.write_text(f"{START}Traceback (most recent call last):\nOSError: later\n09:20:15 tried again\n{BAD}\n")
    assert fault_of(log, JOB, TABLE, context=True).splitlines()[1:] == [BAD]


def test_the_remedy_for_a_killed_program_is_about_this_machine(tmp_path: Path) -> None:
    log = log_of(tmp_path, f"{START}error: killed by SIGKILL in stage begin\n")
    beat_of(log, ended="failed")
    alone = fault_of(log, JOB, TABLE, context=True).splitlines()
    # with the process that would have written it down
    log.write_text(START)
    beat_of(log)
    both = fault_of(log, JOB, TABLE).splitlines()
    for lines in (alone, both):
        assert "CORES=1" in lines[-2] and not any("slurmd" in line or "set-resources" in line for line in lines)
    assert alone[1] == "  | 09:20:14 begin: import_corpus"


def test_a_program_that_ended_well_without_its_outputs_is_told_which(tmp_path: Path) -> None:
    log = log_of(tmp_path, f"{START}09:20:15 done: import_corpus in 0.1 s\n")
    said = fault_of(log, JOB, TABLE, missing=["a.parquet", "b.md"])
    assert said.splitlines()[1:] == ["error: it ended well and did not write a.parquet, b.md"]
