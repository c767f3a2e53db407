"""What a run shows while it goes on: a footer on a terminal, plain lines elsewhere; and what failed, once."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from terminal import Screen

SNAKEFILE = """check_tables = list
include: "workflow/rules/preflight.smk"

rule all:
    input: expand("results/r/{name}.txt", name=["long", "wrong", "mute"])

rule work:
    output: "results/r/{name}.txt"
    log: "results/r/logs/work/{name}.log"
    benchmark: "results/r/benchmarks/work/{name}.tsv"
    shell: "@python workflow/scripts/start_program.py --interpreter @python --gpus 0 work"
        " --out {output} --heartbeat {log}.beat > {log} 2>&1"

onsuccess:
    end_display()
"""
PROGRAM = """
import sys, time
from pathlib import Path
from sociolect.common.heartbeat import write_beat

flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
beat, out = Path(flags["--heartbeat"]), Path(flags["--out"])
for done in range(SECONDS if out.stem == "long" else 1):
    write_beat(beat, "bake", done=done, total=100, rate=1.0, eta_s=100.0 - done)
    time.sleep(1)
# the long one is there until what became of the others has been shown, however busy the machine is
(out.parent / f"{out.stem}.over").touch()
for _ in range(300 if out.stem == "long" else 0):
    time.sleep(0.2)
    if len(list(out.parent.glob("*.over"))) == 3:
        time.sleep(6)
        break
if out.stem == "wrong":
    write_beat(beat, "bake", ended="failed", message="x")
    sys.exit("error: data/a.csv: no flour; add some")
if out.stem == "long":
    out.write_text("baked")
beat.unlink()
print("12:00:00 done: work in 1.0 s")
"""
COMMAND = [sys.executable, "-m", "snakemake", "--profile", "profiles/local", "--cores", "2", "--latency-wait", "1"]


@pytest.fixture
def bakery(project: Path) -> Path:
    """Three jobs: one takes some seconds, one fails, one ends without its output."""
    (project / "Snakefile").write_text(SNAKEFILE.replace("@python", sys.executable))
    (project / "workflow/scripts/work.py").write_text(PROGRAM.replace("SECONDS", "6"))
    return project


def on_terminal(folder: Path, *args: str, seen: Callable[[int, int, str], None]) -> tuple[int, str]:
    """Snakemake on a pseudo terminal of 90 columns; `seen` gets the terminal, the process and what was written so
    far. Exit status, or minus the signal, and all that was written."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvpe(COMMAND[0], [*COMMAND, *args], {**os.environ, "TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 90, 0, 0))
    written = b""
    while True:
        try:
            written += (part := os.read(terminal, 65536))
        except OSError:
            part = b""
        if not part:
            break
        seen(terminal, process, written.decode(errors="replace"))
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), written.decode()


def test_a_terminal_shows_progress_and_at_the_end_what_failed_once(bakery: Path) -> None:
    shots: list[str] = []
    resized: list[int] = []

    def seen(terminal: int, process: int, text: str) -> None:
        shots.append(text)
        if "work [long]" in text and not resized:
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            os.kill(process, signal.SIGWINCH)
            resized.append(terminal)

    code, text = on_terminal(bakery, seen=seen)
    assert code == 1 and resized
    # the states that the heartbeat had, and none other
    assert "bake 0/100, 1/s, 100 s left" in text and "bake 4/100" in text and "bake 6/100" not in text
    assert "0 of 3 jobs done" in text and "2 failed, at least" in text
    screen = Screen(120).feed(text)
    lines, said = screen.lines(), "\n".join(screen.lines())
    assert screen.unknown == [] and screen.column == 0
    # nothing of the footer is left, and Snakemake's lines are whole
    assert "jobs done" not in said and "━" not in said and "bake" not in said
    assert "Provided cores: 2" in lines and "1 of 4 steps (25%) done" in lines
    head = "2 jobs failed; mend what each says, then the same command goes on from what is done:"
    assert lines[lines.index(head) + 1 :] == [
        "failed: work [mute], log results/r/logs/work/mute.log",
        "error: it ended well and did not write results/r/mute.txt",
        "failed: work [wrong], log results/r/logs/work/wrong.log",
        "error: data/a.csv: no flour; add some",
        "",
    ]
    assert said.count("no flour") == 1 and said.count("work [wrong] failed; what does not need it goes on") == 1
    kept = next((bakery / ".snakemake/log").glob("*.log")).read_text()
    for words in ("RuleException", "start_program.py", "Look above", "Missing files"):
        assert words not in said and words in kept
    assert "did not complete successfully" not in said


def test_ctrl_c_gives_the_terminal_back(bakery: Path) -> None:
    pressed: list[int] = []

    def seen(terminal: int, process: int, text: str) -> None:
        if "bake 2/100" in text and not pressed:
            pressed.append(os.write(terminal, b"\x03"))

    code, text = on_terminal(bakery, "--", "results/r/long.txt", seen=seen)
    screen = Screen(90).feed(text)
    assert pressed and code != 0
    assert screen.unknown == [] and screen.column == 0 and "jobs done" not in "\n".join(screen.lines())


def test_a_killed_run_leaves_a_terminal_that_can_be_used(bakery: Path) -> None:
    def seen(terminal: int, process: int, text: str) -> None:
        if "bake 0/100" in text:
            os.kill(process, signal.SIGKILL)

    code, text = on_terminal(bakery, "--", "results/r/long.txt", seen=seen)
    screen = Screen(90).feed(text)
    assert code == -signal.SIGKILL and screen.unknown == [] and screen.column == 0


def test_elsewhere_lines_are_plain(bakery: Path) -> None:
    done = subprocess.run(COMMAND, cwd=bakery, capture_output=True, text=True)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "\x1b" not in said and "jobs done" not in said and "━" not in said
    assert "1 of 4 steps (25%) done" in said and said.count("no flour") == 1
    assert done.stderr.endswith("error: data/a.csv: no flour; add some\n")
