"""Signals end a run once, wherever Snakemake's main thread is, and leave no lock taken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import ROOT
from sociolect.slurm import runs

# What Snakemake's scheduler does: a line for the terminal, then a wait for its jobs. Its submission threads report to
# it and print while it cancels. A signal comes at a place that the argument names, or from outside.
SCHEDULER = """
import logging, os, signal, sys, threading, time
from pathlib import Path
from snakemake.logging import ColorizingTextHandler
from sociolect.slurm import session

place, run, session.TRIES = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
open_jobs = threading.Semaphore(1)

def arrives(where, past=[]):
    if where == place and not past:
        past.append(where)
        os.kill(os.getpid(), signal.SIGTERM)

class Format(logging.Formatter):
    def format(self, record):
        arrives("printing")
        return super().format(record)

def enter(condition, enter=threading.Condition.__enter__):
    taken = enter(condition)
    arrives("taking a lock")
    return taken

handler = ColorizingTextHandler(nocolor=True, stream=open(os.devnull, "w"))
handler.setFormatter(Format())
logger = logging.Logger("scheduler")
logger.addHandler(handler)
session.stop_on_signals(run)
try:
    logger.info("Execute 1 jobs...")
    threading.Condition.__enter__ = enter
    open_jobs.acquire()
    print("ready", flush=True)
    while place == "working":
        pass
    if place == "another thread":
        threading.Timer(0.5, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)).start()
    lost = not open_jobs.acquire(timeout=600 if place == "another thread" else 2)
    print("lost" if lost else "released")
except KeyboardInterrupt:
    logger.info("Terminating")
    reports = [threading.Thread(target=report, daemon=True) for report in (open_jobs.release, lambda: logger.info("-"))]
    for thread in reports:
        thread.start()
    for thread in reports:
        thread.join(15)
    time.sleep(0.5)
    print("locked" if any(thread.is_alive() for thread in reports) else "ended")
"""

Process = subprocess.Popen[str]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []
    run = runs.begin_run(tmp_path, "", [])
    variables = os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")}

    def start(place: str, tries: int = 50, before: tuple[str, ...] = ()) -> Process:
        command = [*before, sys.executable, "-c", SCHEDULER, place, str(run), str(tries)]
        process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(30)


def ready(process: Process) -> Process:
    assert process.stdout and process.stdout.readline() == "ready\n"
    return process


def is_stopping(folder: Path) -> None:
    """Wait until the first signal has been taken note of."""
    latest = time.monotonic() + 60
    while not list(folder.glob("runs/*/stopping")):
        assert time.monotonic() < latest
        time.sleep(0.05)


def last_word(process: Process) -> str:
    return process.communicate(timeout=60)[0].split()[-1]


def test_signal_that_another_thread_gets_wakes_the_main_thread(scheduler: Callable[..., Process]) -> None:
    # left alone it would wait for its next job to end
    assert last_word(scheduler("another thread")) == "ended"


@pytest.mark.parametrize("place", ["printing", "taking a lock"])
def test_signal_in_the_middle_of_what_must_not_be_cut_is_neither_lost_nor_leaves_a_lock(
    scheduler: Callable[..., Process], tmp_path: Path, place: str
) -> None:
    assert last_word(scheduler(place)) == "ended"
    assert list(tmp_path.glob("runs/*/stopping"))


def test_lost_terminal_that_is_told_twice_is_one_stop(scheduler: Callable[..., Process], tmp_path: Path) -> None:
    process = ready(scheduler(""))
    process.send_signal(signal.SIGHUP)
    is_stopping(tmp_path)
    process.send_signal(signal.SIGHUP)
    assert last_word(process) == "ended"


def test_nohup_stays_nohup(scheduler: Callable[..., Process], tmp_path: Path) -> None:
    process = ready(scheduler("", before=("nohup",)))
    process.send_signal(signal.SIGHUP)
    assert last_word(process) == "lost" and not list(tmp_path.glob("runs/*/stopping"))


def test_thread_that_never_waits_is_interrupted_when_its_time_is_over(scheduler: Callable[..., Process]) -> None:
    process = ready(scheduler("working", tries=5))
    process.send_signal(signal.SIGINT)
    assert last_word(process) == "ended"


def test_second_ctrl_c_interrupts_at_once(scheduler: Callable[..., Process], tmp_path: Path) -> None:
    process = ready(scheduler("working", tries=1_000_000))
    process.send_signal(signal.SIGINT)
    is_stopping(tmp_path)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert last_word(process) == "ended"
