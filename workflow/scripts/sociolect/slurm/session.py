"""What Snakemake's own process does at the start of a run on the cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from sociolect.common.errors import InputError
from sociolect.slurm.commands import FINAL, queue
from sociolect.slurm.plain_paths import refuse_odd_paths
from sociolect.slurm.plugin import adapt_plugin
from sociolect.slurm.room import no_room
from sociolect.slurm.runs import (
    STATE,
    Driver,
    abandoned_runs,
    begin_run,
    close_run,
    names_of,
    read_driver,
    stop_submitting,
)
from sociolect.slurm.verdicts import read_causes
from sociolect.slurm.watch import leave_nothing_behind

# Where Snakemake's main thread waits for its jobs; how often, and how long, it is waited for there, in seconds.
WAITING = threading.Condition.wait.__code__
TRY_EVERY_S, TRIES = 0.1, 50


def begin_session(
    plugin: Any, settings: Any, log: str, tools: Path, causes: Path, configs: Sequence[Path] = ()
) -> Path:
    """Adapt the plugin, start the watcher, and see to it that a stopped run stops its jobs.

    Args:
        plugin: the module snakemake_executor_plugin_slurm.
        settings: the plugin's settings of this run.
        log: Snakemake's log of this run.
        tools: folder of the programs that are no rule.
        causes: the table of causes.
        configs: config files of the run.

    Returns:
        The folder of the run's record.

    Raises:
        InputError: array jobs are asked for, a shell would run what a path says, the disk is full, jobs of an earlier
            run may still write, or the plugin has another shape.
    """
    if settings.array_jobs:
        raise InputError(
            "slurm-array-jobs: not supported, since the plugin mixes up states and logs of array tasks; leave it out"
        )
    refuse_odd_paths(Path.cwd(), configs)
    read_causes(causes)
    state = STATE.absolute()
    if full := no_room([state]):
        raise InputError(f"{full}: free some space, then run the same command again")
    clear_leftovers(state)
    run = begin_run(state, log, sys.argv)
    adapt_plugin(plugin, run, state, tools, settings.init_seconds_before_status_checks)
    interval = os.environ.get("SOCIOLECT_WATCH_S", "30")
    watcher = [sys.executable, str(tools / "watch_jobs.py"), "--run", str(run), "--interval", interval]
    # a session of its own: what ends Snakemake must not end its watcher
    subprocess.Popen([*watcher, "--causes", str(causes)], stdin=subprocess.DEVNULL, start_new_session=True)
    stop_on_signals(run)
    return run


def stop_on_signals(run: Path) -> None:
    """SIGTERM and a lost terminal end a run as Ctrl-C does: jobs cancelled, nothing more submitted, folder unlocked.

    Snakemake's own answer to SIGTERM is to wait for its jobs, which takes hours on a cluster; it has none to SIGHUP.
    On Ctrl-C it would still submit what is in line. Its main thread is interrupted where it waits for jobs: in the
    middle of a line for the terminal the interrupt would be swallowed, and in that of taking a lock the lock would
    never be given back. After five seconds elsewhere, or when asked again, it is interrupted wherever it is.
    """
    tries, taken = 0, False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal tries, taken
        woken = number == signal.SIGALRM
        if woken and (taken or not tries):
            return
        again = not woken and tries > 0
        if not tries:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # kernel and shell both say that the terminal is lost
            stop_submitting(run)
        tries += 1
        if again or tries > TRIES or (frame is not None and frame.f_code is WAITING):
            taken = True
            raise KeyboardInterrupt

    def wake(main: int, arrived: int) -> None:
        # the kernel may give a signal to another thread, such as one that starts a process: Python knows of it then,
        # and a main thread that waits does not wake up
        while numbers := {*os.read(arrived, 64)}:
            if numbers == {signal.SIGALRM}:
                continue
            signal.pthread_kill(main, signal.SIGALRM)
            while not taken:
                time.sleep(TRY_EVERY_S)
                signal.pthread_kill(main, signal.SIGALRM)

    arrived, arriving = os.pipe()
    os.set_blocking(arriving, False)
    signal.set_wakeup_fd(arriving, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup stays nohup
        signal.signal(signal.SIGHUP, stop)
    threading.Thread(target=wake, args=(threading.get_ident(), arrived), name="signals", daemon=True).start()


def clear_leftovers(state: Path) -> None:
    """Cancel jobs of earlier runs whose Snakemake is gone: they would write what this run writes.

    Raises:
        InputError: there are such jobs and it cannot be told, or not done, from here.
    """
    for run in abandoned_runs(state):
        driver = read_driver(run)
        queued = queue(names_of(run))
        left = [job.job for job in (queued or {}).values() if job.state not in FINAL]
        if queued is None:
            raise InputError("SLURM does not answer (squeue); try again when `squeue --me` does")
        if not left:
            close_run(run)
            continue
        if driver.alive() is None:
            raise InputError(_foreign(driver, left))
        if not leave_nothing_behind(run, lambda line: print(line, file=sys.stderr, flush=True), patience=120.0):
            raise InputError(f"jobs of an earlier run are still in the queue: scancel {' '.join(left)}, then again")


def _foreign(driver: Driver, left: list[str]) -> str:
    return (
        f"jobs of a run that was started on {driver.host} (process {driver.pid}) are in the queue and may write what "
        f"this one writes; wait for it, or stop it there, or: scancel {' '.join(left)}"
    )
