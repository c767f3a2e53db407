"""Tables that come to their place together, when all of them are whole."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sociolect.common.errors import InputError
from sociolect.common.files import read_json, write_json

__all__ = ["publish", "refuse_present", "staging_folder"]

_STAGING = ".import.part"


def refuse_present(folder: Path, splits: Sequence[str]) -> None:
    """Refuse to write over a table.

    Raises:
        InputError: there is one.
    """
    for split in splits:
        if (path := folder / f"{split}.parquet").exists():
            raise InputError(f"{path}: there already; import into another folder (OUT=...), or add --replace")


@contextmanager
def staging_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the tables, gone at the end; what a killed import left is gone before.

    Raises:
        InputError: another import writes here, or `folder` cannot be a folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"{folder}: no folder to write into ({error.strerror}); give another one (OUT=...)") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise InputError(f"{folder}: another import writes here; wait for it, or give another folder") from None
    staging = folder / _STAGING
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(lock)


def publish(staging: Path, folder: Path, record: Path, said: dict[str, Any]) -> list[Path]:
    """Bring the tables of `staging` to their place; those that the record's import wrote before go.

    Args:
        staging: holds whole parquet files.
        folder: where they go.
        record: a JSON file, which appears last.
        said: what it says.
    """
    before = read_json(record).get("tables", []) if record.is_file() else []
    record.unlink(missing_ok=True)
    made = sorted(staging.glob("*.parquet"))
    for path in made:
        os.replace(path, folder / path.name)
    for name in {*before} - {path.name for path in made}:
        (folder / name).unlink(missing_ok=True)
    write_json({**said, "tables": [path.name for path in made]}, record)
    return [folder / path.name for path in made]
