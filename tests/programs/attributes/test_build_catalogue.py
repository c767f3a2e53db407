"""build_catalogue with faulty flags."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"


def run_program(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPTS / "build_catalogue.py"), *args], capture_output=True, text=True)


def test_programs_end_with_one_error_line(tmp_path: Path) -> None:
    flags = ["--catalogue", str(tmp_path / "c"), "--funnel", str(tmp_path / "f"), "--sentences", str(tmp_path / "no")]
    done = run_program(*flags, "--settings", "{}")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == f"error: {tmp_path / 'no'}: no such file"
    done = run_program(*flags, "--settings", json.dumps({"max_char": 3}))
    assert done.stderr.strip().splitlines()[-1].startswith("error: --settings: key 'max_char'")
