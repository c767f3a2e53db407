"""Write the generated files anew, or with --check say which of them are out of date; --lock pins what is installed.

--lock-benchmarks and --lock-vllm pin what is installed for those; run them with .venv-bench and .venv-vllm.
--lock-syntax pins what `make setup-syntax` adds to .venv.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import library_path  # noqa: F401, first: where sociolect lies

from sociolect.common.errors import exit_plainly
from sociolect.common.files import write_text
from sociolect.settings.documents import generated_files
from sociolect.settings.locks import lock_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--lock", action="store_true")
    parser.add_argument("--lock-benchmarks", action="store_true")
    parser.add_argument("--lock-vllm", action="store_true")
    parser.add_argument("--lock-syntax", action="store_true")
    flags = parser.parse_args()
    if flags.lock:
        write_text(lock_text(flags.root), flags.root / "envs" / "core.txt")
        write_text(lock_text(flags.root, "dev"), flags.root / "envs" / "dev.txt")
    extras = {"benchmarks": flags.lock_benchmarks, "vllm": flags.lock_vllm, "syntax": flags.lock_syntax}
    for name, wanted in extras.items():
        if wanted:
            write_text(lock_text(flags.root, name), flags.root / "envs" / f"{name}.txt")
    stale = [(p, t) for p, t in generated_files(flags.root).items() if not p.is_file() or p.read_text() != t]
    for path, text in stale:
        if not flags.check:
            write_text(text, path)
        print(f"{'out of date' if flags.check else 'wrote'}: {path.relative_to(flags.root)}")
    if stale and flags.check:
        sys.exit("error: run `make schema` and commit what it writes")


if __name__ == "__main__":
    exit_plainly(main)
