"""From a dump to a checked config, as a user calls it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, make

ENTRY = '  <row Id="{0}" PostTypeId="{1}" {2} OwnerUserId="{0}" Body="&lt;p&gt;{3}&lt;/p&gt;" />\n'


def dump(folder: Path, site: str, n: int) -> str:
    """A site with n questions of two answers each; its folder."""
    rows = ""
    for number in range(1, 3 * n, 3):
        rows += ENTRY.format(number, 1, f'Title="What is {number} at {site}?"', "Please say.")
        for own in (number + 1, number + 2):
            rows += ENTRY.format(
                own, 2, f'ParentId="{number}"', f"Number {own} is what it has always been to us at {site}."
            )
    (folder / f"{site}.stackexchange.com").mkdir(parents=True)
    path = folder / f"{site}.stackexchange.com/Posts.xml"
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<posts>\n{rows}</posts>\n')
    return str(path.parent.relative_to(folder.parent))


def test_from_a_dump_to_a_config_that_nothing_is_wrong_with(project: Path) -> None:
    sites = [dump(project / "dumps", site, n) for site, n in (("optics", 60), ("poetry", 45), ("tiny", 3))]
    done = make(project, "import", "FROM=stackexchange", f"IN={' '.join(sites)}")
    assert done.returncode == 0, done.stderr
    assert "wrote data/askx.parquet, data/multi.parquet, data/single.parquet" in done.stdout
    done = make(project, "new", "RUN=mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "single: 2 of 3 groups reach 45: optics, poetry",
        "multi: 2 of 3 groups reach 90: optics, poetry",
        "askx: 2 of 3 groups reach 45: optics, poetry",
        "experiments: single (fit single, ask single), askx (fit multi, ask askx)",
        "wrote config/mine.yaml",
        "checking config/mine.yaml ...",
        "nothing is wrong: config, tables, prompt files, models, disk, packages",
    ]
    again = make(project, "new", "RUN=mine")
    assert again.returncode != 0 and "config/mine.yaml: there already" in again.stderr
    odd = make(project, "new", "RUN=../mine")
    assert odd.returncode != 0 and "write a letter" in odd.stderr and "Traceback" not in odd.stderr


@pytest.mark.parametrize("base", ["scratch", "one-gpu", "config"])
def test_every_base_gives_a_config_that_nothing_is_wrong_with(project: Path, base: str) -> None:
    sites = [dump(project / "dumps", site, 30) for site in ("optics", "poetry")]
    assert make(project, "import", "FROM=stackexchange", f"IN={' '.join(sites)}", "OUT=mine").returncode == 0
    done = make(project, "new", "RUN=mine", f"BASE={base}", "DATA=mine")
    assert done.returncode == 0, done.stdout + done.stderr


def on_a_terminal(project: Path, typed: str, *flags: str) -> tuple[int, str]:
    """new_run.py with lines typed on a terminal: exit status, and what stands there at the end."""
    ours, its = pty.openpty()
    tool = ROOT / "workflow/tools/new_run.py"
    plain = {**os.environ, "TERM": "dumb"}
    with subprocess.Popen(
        [sys.executable, tool, *flags], cwd=project, stdin=its, stdout=its, stderr=its, env=plain
    ) as process:
        os.close(its)
        os.write(ours, typed.encode())
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                # the other end is closed
                break
    os.close(ours)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def test_on_a_terminal_what_no_flag_says_is_asked(project: Path) -> None:
    sites = [dump(project / "dumps", site, 30) for site in ("optics", "poetry")]
    assert make(project, "import", "FROM=stackexchange", f"IN={' '.join(sites)}").returncode == 0
    # a name that is none is asked for again; the empty line takes what is proposed; the base is a flag, so unasked
    status, shown = on_a_terminal(project, "my run\nmine\n\ncross_encoder\n", "--base", "scratch")
    assert status == 0, shown
    assert "run 'my run': write a letter" in shown and "folder of the tables (data)" in shown
    assert "scorer of style [measured/cross_encoder]" in shown and "base [" not in shown
    assert shown.count("name of the run") == 2 and shown.splitlines()[-1].startswith("nothing is wrong")
    assert yaml.safe_load((project / "config/mine.yaml").read_text())["labeling"]["scorer"] == "cross_encoder"
    # ctrl-D
    status, shown = on_a_terminal(project, "third\n\x04")
    assert status == 1 and shown.splitlines()[-1] == "error: no answer; nothing is written" and "Traceback" not in shown
    # one with a name is complete: no script waits for an answer that nobody types
    status, shown = on_a_terminal(project, "", "--run", "other", "--scorer", "measured")
    assert status == 0 and "scorer of style" not in shown, shown
    values = yaml.safe_load((project / "config/other.yaml").read_text())
    assert values["labeling"]["scorer"] == "measured" and values["models"]["lm"] == "gemma-3-270m"
    # without a terminal nothing is asked, and what cannot be is not written
    nobody = make(project, "new")
    assert nobody.returncode != 0 and "make new RUN=mine" in nobody.stderr and "Traceback" not in nobody.stderr
    odd = make(project, "new", "RUN=odd", "BASE=config", "SCORER=measured")
    assert odd.returncode != 0 and "labeling.scorer" in odd.stderr and not (project / "config/odd.yaml").exists()


def test_a_call_without_a_dump_says_how_to_call(project: Path) -> None:
    done = make(project, "import")
    assert done.returncode != 0 and "usage: import_dump.py" in done.stderr and "Traceback" not in done.stderr
