"""What stands last on the screen after a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import ROOT


def test_sentences_are_lines_that_fit_and_what_is_there_is_told_where_it_lies(tmp_path: Path) -> None:
    findings = tmp_path / "findings.md"
    findings.write_text(f"# What was found: x\n\n1. **Effect.** `a` [b] {'word ' * 40}\n", encoding="utf-8")
    (tmp_path / "figures").mkdir()
    places = [f"figures={tmp_path}/figures", f"explorer={tmp_path}/explorer.html"]
    tool = [sys.executable, str(ROOT / "workflow/tools/print_findings.py")]
    done = subprocess.run(
        [*tool, "--findings", str(findings), "--places", *places], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "What was found: x" and lines[2].startswith("1. Effect. `a` [b] word")
    assert lines[3].startswith("   word") and max(map(len, lines[:4])) <= 118
    assert lines[-1] == f"figures:    {tmp_path}/figures" and "explorer" not in done.stdout
