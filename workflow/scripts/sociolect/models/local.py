"""Models in a folder of this machine."""

from __future__ import annotations

from pathlib import Path

from sociolect.common.errors import InputError
from sociolect.models.snapshots import Check, anything, new_snapshot, take_files
from sociolect.settings.models import LocalModel

__all__ = ["take_folder"]


def take_folder(model: LocalModel, folder: Path, check: Check = anything) -> None:
    """Make a snapshot of a model's folder, by hard links where both are on one disk.

    Args:
        model: the folder.
        folder: where the snapshot goes.
        check: what else the model must pass.

    Raises:
        InputError: there is no such folder, no model or no tokenizer in it, or a file is not whole.
    """
    source = Path(model.folder)
    if not source.is_dir():
        raise InputError(f"models: there is no folder {source}; mend the key `folder`")
    with new_snapshot(folder, {"folder": model.folder}, model.folder, check) as temporary:
        take_files(source, temporary, link=True)
