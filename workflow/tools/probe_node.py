"""Say from inside a job what a node offers: torch and how long its import takes, GPUs, room for temporary files."""

from __future__ import annotations

import os
import shutil
import tempfile
import time

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.launch import visible_gpus


def main() -> None:
    began = time.monotonic()
    import torch

    seconds = time.monotonic() - began
    usable = torch.cuda.device_count() if torch.cuda.is_available() else 0
    free = shutil.disk_usage(tempfile.gettempdir()).free >> 20
    print(
        f"[probe] torch {torch.__version__} imported in {seconds:.1f} s, GPUs given {len(visible_gpus())}, "
        f"usable {usable}, {free} MB free in {os.environ.get('TMPDIR', '-')}",
        flush=True,
    )


if __name__ == "__main__":
    main()
