"""Tables that come to their place together, when all of them are whole; those of two imports never lie together."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sociolect.common.artifacts import read_provenance
from sociolect.common.errors import InputError
from sociolect.common.files import read_json, write_json
from sociolect.dumps.splits import SPLITS

__all__ = ["PROGRAM", "publish", "refuse_present", "staging_folder"]

# in the provenance of the tables
PROGRAM = "import_dump"
_STAGING, _RECORDS = ".import.part", "import_*.json"


def refuse_present(folder: Path, splits: Sequence[str], replace: bool) -> None:
    """Refuse to write over a table, and to leave one of another import beside the new ones.

    Args:
        folder: of the tables.
        splits: that are made.
        replace: whether tables of these splits go.

    Raises:
        InputError: there is one.
    """
    for split in () if replace else splits:
        if (path := folder / f"{split}.parquet").exists():
            raise InputError(f"{path}: there already; import into another folder (OUT=...), or add --replace")
    if left := _imported(folder, [split for split in SPLITS if split not in splits]):
        raise InputError(
            f"{', '.join(map(str, left))}: of another import, whose authors have other ids; make all splits anew "
            f"(--splits {','.join(SPLITS)} --replace), import into another folder (OUT=...), or move what is there away"
        )


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


def publish(
    staging: Path, folder: Path, record: Path, said: dict[str, Any], splits: Sequence[str]
) -> tuple[list[Path], list[Path]]:
    """Bring the tables of `staging` to their place; those of an import before go, and its record.

    Args:
        staging: holds whole parquet files.
        folder: where they go.
        record: a JSON file, which appears last.
        said: what it says.
        splits: that were to be made; tables of others stay.

    Returns:
        The tables, and those that went without another in their place.
    """
    names = sorted(path.name for path in staging.glob("*.parquet"))
    gone = [path for path in _imported(folder, splits) if path.name not in names]
    for path in _records(folder):
        path.unlink()
    for name in names:
        os.replace(staging / name, folder / name)
    for path in gone:
        path.unlink()
    write_json({**said, "tables": names}, record)
    return [folder / name for name in names], gone


def _imported(folder: Path, splits: Sequence[str]) -> list[Path]:
    """The tables of these splits that an import wrote, whichever kind; not those of the user's own."""
    found = []
    for path in (folder / f"{split}.parquet" for split in splits):
        with suppress(InputError):
            # what cannot be read is of no import
            if path.is_file() and read_provenance(path).get("program") == PROGRAM:
                found.append(path)
    return found


def _records(folder: Path) -> list[Path]:
    """What imports wrote beside their tables, and no other file of such a name."""
    found = []
    for path in folder.glob(_RECORDS):
        with suppress(ValueError):
            said = read_json(path)
            if isinstance(said, dict) and {"funnel", "tables"} <= said.keys():
                found.append(path)
    return found
