"""Wheels for a machine that reaches no package index: filled here, and asked there for what is missing.

Needs nothing but Python and pip, since it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[1]
NAMES = (
    *("polars", "polars-runtime-32", "pytorch-metric-learning"),
    *("pydantic", "pydantic-core", "annotated-types", "typing-inspection"),
)
# pip takes no tag of an older manylinux than the one it is told
PLATFORMS = (
    *("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64"),
    *("manylinux2014_x86_64", "manylinux1_x86_64"),
)
MOST_MEGABYTES = 60


def pins(root: Path = ROOT) -> list[str]:
    """What is carried, `name==version`: the core's pins of packages that a PyTorch image lacks, and the kernels."""
    core = _lines(root / "envs" / "core.txt")
    return [
        *(next(pin for pin in core if pin.split("==")[0] == name) for name in NAMES),
        *_lines(root / "envs" / "gpu.txt"),
    ]


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def download(folder: Path, python: str) -> None:
    """Fill the folder with the wheels of this version of Python, x86-64 Linux, and with nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.whl"):
        old.unlink()
    only = ["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *only, *platforms, "--dest", str(folder), *pins()], check=True)


def check_size(folder: Path, most: float = MOST_MEGABYTES) -> float:
    """Megabytes of the wheels.

    Raises:
        SystemExit: they are more than can be carried; the message names the largest.
    """
    sizes = {path.name: path.stat().st_size / 1e6 for path in folder.glob("*.whl")}
    total = sum(sizes.values())
    if total > most:
        largest = max(sizes, key=lambda name: sizes[name])
        raise SystemExit(
            f"error: {folder} has {total:.1f} MB, {most:g} are allowed; the largest is {largest} "
            f"({sizes[largest]:.1f} MB)"
        )
    return total


def missing(folder: Path) -> list[str]:
    """The wheels' packages, `name==version`, that cannot be imported here."""
    found = []
    for path in sorted(folder.glob("*.whl")):
        name, version = path.name.split("-")[:2]
        if any(importlib.util.find_spec(top) is None for top in _modules(path)):
            found.append(f"{name}=={version}")
    return found


def _modules(wheel: Path) -> set[str]:
    """Packages that a wheel installs."""
    with ZipFile(wheel) as archive:
        return {name.split("/")[0] for name in archive.namelist() if name.count("/") == 1 and "__init__.py" in name}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["download", "missing"], help="fill the folder, or print what is missing here")
    parser.add_argument("--folder", type=Path, default=ROOT / ".gpu-packages", help="folder of the wheels")
    parser.add_argument("--python", default="3.12", help="version of Python of the other machine")
    flags = parser.parse_args(arguments)
    if flags.what == "missing":
        print(*missing(flags.folder))
        return
    download(flags.folder, flags.python)
    total = check_size(flags.folder)
    print(f"{flags.folder}: {len(list(flags.folder.glob('*.whl')))} wheels for Python {flags.python}, {total:.1f} MB")


if __name__ == "__main__":
    main()
