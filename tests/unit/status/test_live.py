"""The footer of a run: begun on a terminal alone, ended by whatever goes wrong in it, and the watcher's lines above."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import select
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import watch_jobs
from rich.text import Text

from conftest import ROOT
from sociolect.slurm.runs import SHOWN, WATCHED, Driver, process_started
from sociolect.status.live import Live, begin_live, stream_handler
from terminal import Screen


class Progress:
    """Two lines, or a fault."""

    def __init__(self) -> None:
        self.fault = ""

    def begin(self) -> None:
        pass

    def lines(self, gpus: Any, most: int) -> list[Text]:
        if self.fault:
            raise OSError(self.fault)
        return [Text("1 of 9 jobs done"), Text("  train")]


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[logging.StreamHandler[Any], int]]:
    """Snakemake's handler, on a pseudo terminal; and where that is read."""
    monkeypatch.setattr("sociolect.status.live.EVERY_S", 0.05)
    monkeypatch.setattr("sociolect.status.live.EVERY_ON_CLUSTER_S", 0.05)
    monkeypatch.setattr("sociolect.status.live.machine_gpus", list)
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        one = logging.StreamHandler(stream)
        one.name = "DefaultStreamHandler"
        yield one, ours
    os.close(ours)


def say(handler: logging.Handler, text: str) -> None:
    handler.handle(logging.LogRecord("snakemake", logging.INFO, "", 0, text, None, None))


def screen_of(terminal: int, screen: Screen, *until: str) -> list[str]:
    """What is on the screen, once these lines are."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        while select.select([terminal], [], [], 0.05)[0]:
            screen.feed(os.read(terminal, 65536).decode())
        if set(until) <= set(screen.lines()):
            return screen.lines()
    raise AssertionError(f"no {until} on the screen: {screen.lines()}")


def test_lines_of_snakemake_and_of_the_watcher_stand_above(handler: Any, tmp_path: Path) -> None:
    (one, ours), screen = handler, Screen(80)
    terminal = one.stream
    live = Live(Progress(), one, tmp_path)  # type: ignore[arg-type]
    say(one, "Finished jobid: 3")
    assert screen_of(ours, screen, "  train")[:3] == ["Finished jobid: 3", "1 of 9 jobs done", "  train"]
    with (tmp_path / WATCHED).open("a") as stream:
        stream.write("[why] a job: Cause H\n[wai")
    found = screen_of(ours, screen, "[why] a job: Cause H", "  train")
    assert found == ["Finished jobid: 3", "[why] a job: Cause H", "1 of 9 jobs done", "  train", ""]
    with (tmp_path / WATCHED).open("a") as stream:
        stream.write("ting] b\n")
    assert (tmp_path / SHOWN).exists()
    live.end()
    say(one, "Elapsed time: 1")
    found = screen_of(ours, screen, "Elapsed time: 1")
    assert found == ["Finished jobid: 3", "[why] a job: Cause H", "[waiting] b", "Elapsed time: 1", ""]
    assert one.stream is terminal and not (tmp_path / SHOWN).exists()
    live.end()


def test_a_fault_ends_the_footer_and_not_the_run(handler: Any) -> None:
    (one, ours), screen, progress = handler, Screen(80), Progress()
    live = Live(progress, one, None)  # type: ignore[arg-type]
    screen_of(ours, screen, "  train")
    progress.fault = "no such folder"
    said = "no more progress here (make status): OSError: no such folder"
    assert screen_of(ours, screen, said) == [said, ""]
    say(one, "Finished jobid: 3")
    assert screen_of(ours, screen, "Finished jobid: 3") == [said, "Finished jobid: 3", ""]
    live.end()


def test_nothing_is_drawn_where_snakemake_is_quiet_or_writes_no_colors(handler: Any) -> None:
    one, _ = handler
    logger = logging.Logger("snakemake")

    def begun(*quiet: str, nocolor: bool = False) -> Any:
        one.nocolor = nocolor
        workflow = SimpleNamespace(output_settings=SimpleNamespace(quiet=set(quiet)))
        return begin_live(workflow, logger, Path("none"), None)

    # a plugin writes in its place
    assert stream_handler(logger) is None and begun() is None
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    logger.addHandler(one)
    assert stream_handler(logger) is one
    assert begun(nocolor=True) is None and begun("all") is None and begun("progress", "rules") is None


def test_the_watcher_leaves_its_lines_to_the_process_that_shows_them(tmp_path: Path) -> None:
    run = tmp_path / "runs/1"
    run.mkdir(parents=True)
    (tmp_path / "squeue").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "squeue").chmod(0o755)
    driver = Driver(os.getpid(), os.uname().nodename, process_started(os.getpid()))
    (run / "driver.json").write_text(json.dumps(asdict(driver)))
    tool = [sys.executable, "workflow/tools/watch_jobs.py", "--run", str(run), "--interval", "0.2"]
    causes = ["--causes", "profiles/slurm/causes.yaml"]
    environment = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}

    def printed(shown: bool) -> str:
        (run / SHOWN).touch() if shown else (run / SHOWN).unlink()
        (run / WATCHED).unlink(missing_ok=True)
        pipe = subprocess.PIPE
        with subprocess.Popen([*tool, *causes], cwd=ROOT, env=environment, stderr=pipe, text=True) as process:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not ((run / WATCHED).exists() and (run / WATCHED).read_text()):
                time.sleep(0.1)
            process.terminate()
            return process.communicate()[1]

    away = "[slurm] the controller does not answer"
    assert away not in printed(shown=True) and away in (run / WATCHED).read_text()
    assert away in printed(shown=False)


def test_a_line_that_no_disk_takes_is_not_kept(tmp_path: Path) -> None:
    assert watch_jobs.keep("[disk] full", tmp_path / WATCHED) and not watch_jobs.keep("[disk] full", Path("/dev/full"))
