"""Whose files a failed import found or missed: those of the environment, of other places, or of one node alone."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_PYTHON = re.compile(r"^\[start\] .*\bpython=(?P<env>/\S+)/bin/python\S*", re.MULTILINE)
_FRAME = re.compile(r'^ *File "(?P<file>/[^"]+)", line \d+', re.MULTILINE)
_BROKEN = re.compile(
    r"(?<![\w./-])(?P<file>/\S{1,400}\.so[.\d]*): (?P<said>(?!undefined symbol|cannot open shared)[^\n]{3,100})"
)
_FAILED = re.compile(
    r"^(?P<said>(ImportError|ModuleNotFoundError|AttributeError|SyntaxError|Fatal Python error):[^\n]{0,120})",
    re.MULTILINE,
)
_HOME = re.compile(r"^home = (?P<bin>.+)$", re.MULTILINE)
_MISSING = re.compile(r"No module named '(?P<module>[\w.]+)'")


def foreign_code(text: str) -> dict[str, str] | None:
    """A file of another place than the environment, its Python, the system and the project, in a failed import."""
    project = {str(Path.cwd() / name) for name in ("workflow", "Snakefile")}
    own = project | {sys.prefix, sys.base_prefix, "/usr", "/lib", "/proc", "/dev", "/tmp"}
    for env in map(Path, _PYTHON.findall(text)):
        own |= {str(env), str(env.resolve()), str(_base(env))}
    if (broken := _BROKEN.search(text)) and not _lies_in(broken["file"], own):
        return {"foreign": broken["file"], "said": broken["said"]}
    failed = _FAILED.search(text)
    strange = [file for file in _FRAME.findall(text) if not _lies_in(file, own)]
    return {"foreign": strange[-1], "said": failed["said"]} if failed and strange else None


def only_there(text: str, since: float) -> dict[str, str] | None:
    """A module that the job missed and that its environment has, seen from here, unchanged since then.

    Where the environment changed in the meantime it is no node's fault.
    """
    missing, envs = _MISSING.search(text), _PYTHON.findall(text)
    if missing is None or not envs:
        return None
    module = missing["module"].replace(".", "/")
    for packages in Path(envs[-1]).glob("lib/python3*/site-packages"):
        there = (packages / module).is_dir() or any(packages.glob(f"{module}.*"))
        if there and packages.stat().st_mtime < since:
            return {"module": missing["module"], "env": envs[-1]}
    return None


def _base(env: Path) -> Path:
    """Folder of the Python that an environment was made with."""
    try:
        home = _HOME.search((env / "pyvenv.cfg").read_text(encoding="utf-8"))
    except OSError:
        home = None
    return Path(home["bin"]).parent if home else env


def _lies_in(file: str, folders: set[str]) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in folders)
