"""Files that appear whole or not at all: a temporary name, synced and renamed. Standard library only."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["atomic_folder", "atomic_path", "read_json", "write_json", "write_text"]


@contextmanager
def atomic_path(path: Path, sync: bool = True) -> Iterator[Path]:
    """A temporary name beside `path`; renamed onto it, synced, when the block ends well; removed otherwise.

    Args:
        path: of the file.
        sync: wait until it is on the disk; what is worth nothing after a crash of the machine need not.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        if sync:
            _sync(temporary)
        os.replace(temporary, path)
        if sync:
            _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """The same for a folder, such as a model's: it appears whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _sync(file)
        if path.exists():
            shutil.rmtree(path)
        os.replace(temporary, path)
        _sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(text: str, path: Path, sync: bool = True) -> None:
    """Write a text file atomically (UTF-8)."""
    with atomic_path(path, sync) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(value: object, path: Path) -> None:
    """Write JSON atomically, indented, keys in the order given."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", path)


def read_json(path: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
