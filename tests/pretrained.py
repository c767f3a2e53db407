"""The small pretrained model for tests, fetched once as Snakemake fetches it."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path

from conftest import ROOT, skip_here

__all__ = ["finished_gemma"]


def finished_gemma(folder: Path) -> Path:
    """gemma-3-270m in this folder, fetched by whoever comes first; the others wait for it.

    Without a network the test is skipped; in CI it fails.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "snapshot.json").is_file():
            # the environment of vLLM cannot read GGUF files
            core = ROOT / ".venv/bin/python"
            python = core if core.is_file() else Path(sys.executable)
            program = [str(python), str(ROOT / "workflow/scripts/fetch_model.py"), "--name", "lm", "--model"]
            settings = json.dumps({"lm": "gemma-3-270m"})
            done = subprocess.run([*program, str(folder), "--settings", settings], capture_output=True, text=True)
            if done.returncode:
                skip_here((done.stderr.splitlines() or ["fetch_model failed"])[-1])
    return folder
