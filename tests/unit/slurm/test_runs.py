"""Records of runs, and the tool that looks for a run under way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from conftest import ROOT
from sociolect.slurm import runs


def test_driver_is_told_from_another_process_with_its_number(tmp_path: Path) -> None:
    run = runs.begin_run(tmp_path, "log", ["snakemake"])
    driver = runs.read_driver(run)
    assert driver.alive() is True
    assert runs.Driver(os.getpid(), socket.gethostname(), driver.started - 1).alive() is False
    assert runs.Driver(os.getpid(), "elsewhere", driver.started).alive() is None


def test_half_a_line_of_a_killed_writer_is_not_a_submission(tmp_path: Path) -> None:
    runs.add_line(tmp_path, {"name": "u", "rule": "a", "job": "1"})
    with (tmp_path / "jobs.jsonl").open("a") as stream:
        stream.write('{"name": "u", "ru')
    assert [s.job for s in runs.submissions(tmp_path)] == ["1"]


def test_line_that_is_cut_in_the_middle_of_a_letter_costs_no_other_line(tmp_path: Path) -> None:
    run = runs.begin_run(tmp_path, "", [])
    runs.add_line(run, {"name": "u", "rule": "a", "job": "1", "log": "/home/müller/a.log"})
    with (run / "jobs.jsonl").open("ab") as stream:
        stream.write('\n{"name": "u", "rule": "b", "log": "/home/mü'.encode()[:-1])
    runs.add_line(run, {"name": "u", "rule": "c", "job": "3"})
    assert [(s.job, s.log) for s in runs.submissions(run)] == [("1", "/home/müller/a.log"), ("3", "")]
    assert runs.abandoned_runs(tmp_path) == [] and runs.names_of(run) == ["u"]


def test_environment_is_not_made_anew_under_a_run(tmp_path: Path) -> None:
    check = [sys.executable, str(ROOT / "workflow/tools/check_idle.py")]
    assert subprocess.run(check, cwd=tmp_path, check=False).returncode == 0
    runs.begin_run(tmp_path / runs.STATE, "", [])
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"error: process {os.getpid()} drives a run" in done.stderr
