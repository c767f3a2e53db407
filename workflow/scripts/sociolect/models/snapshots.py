"""Snapshots of models: a folder that appears whole, checked, with the digests of its files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from sociolect.common.errors import InputError
from sociolect.common.files import atomic_folder, write_json
from sociolect.models.loading import SNAPSHOT, check_snapshot, load_tokenizer, sha256_of
from sociolect.settings.models import MODEL_FILES, PICKLED

__all__ = ["PICKLED", "Check", "anything", "new_snapshot", "patterns_of", "take_files"]

Check = Callable[[Path], None]
# weights are kept as safetensors only: pickled ones may run code when they are loaded
PATTERNS = tuple(name for name in MODEL_FILES if name != PICKLED)


def anything(folder: Path) -> None:
    """A check that every model passes."""


@contextmanager
def new_snapshot(folder: Path, source: Mapping[str, Any], where: str, check: Check = anything) -> Iterator[Path]:
    """Make a snapshot: the block fills a temporary folder, which is checked, listed and renamed.

    Args:
        folder: where the snapshot goes; `snapshot.json` inside has the source and every file's size and SHA-256.
        source: where it comes from.
        where: the same in words, for errors.
        check: what else the model must pass, such as that it can be steered.

    Raises:
        InputError: a file is not whole, or there is no model or no tokenizer in them.
    """
    with atomic_folder(Path(folder)) as temporary:
        yield temporary
        _convert_weights(temporary)
        _check_files(temporary, where)
        check(temporary)
        try:
            load_tokenizer(temporary)
        except InputError as error:
            reason = str(error).replace(str(temporary), where).rpartition("; ")[0]
            raise InputError(f"{reason}; choose a model with a whole tokenizer") from error
        files = {
            p.relative_to(temporary).as_posix(): {"size": p.stat().st_size, "sha256": sha256_of(p)}
            for p in sorted(temporary.rglob("*"))
            if p.is_file()
        }
        write_json({**source, "files": files}, temporary / SNAPSHOT)


def patterns_of(names: list[str]) -> list[str]:
    """What to take of a model's files: pickled weights only where it has no others (as microsoft/deberta-v3-base)."""
    safe = any(name.endswith(".safetensors") for name in names)
    return [*PATTERNS] if safe else [*PATTERNS, PICKLED]


def take_files(source: Path, target: Path, link: bool = False) -> None:
    """Take a model's files from a folder; if it is a snapshot itself, all that it promises must arrive.

    Args:
        source: folder with a model.
        target: folder, empty so far.
        link: by hard link where both are on one disk, so that nothing is there twice.

    Raises:
        InputError: a file of the snapshot is missing or changed.
    """
    for pattern in patterns_of([file.name for file in source.iterdir()]):
        for file in sorted(source.glob(pattern)):
            if file.is_file() and file.name != SNAPSHOT:
                _take(file.resolve(), target / file.name, link)
    if (source / SNAPSHOT).is_file():
        shutil.copyfile(source / SNAPSHOT, target / SNAPSHOT)
        check_snapshot(target, contents=True)
        (target / SNAPSHOT).unlink()


def _take(file: Path, target: Path, link: bool) -> None:
    if link:
        try:
            os.link(file, target)
            return
        except OSError:
            # another disk, or one without links
            pass
    shutil.copyfile(file, target)


def _convert_weights(folder: Path) -> None:
    """Turn pickled weights into safetensors, reading tensors only."""
    pickled = folder / PICKLED
    if not pickled.is_file():
        return
    try:
        state = torch.load(pickled, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a broken or hostile pickle raises
        raise InputError(
            f"{pickled.name} is not whole, or holds more than tensors ({error}); fetch it again"
        ) from error
    tensors = {name: value.detach().clone().contiguous() for name, value in state.items()}
    save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})
    pickled.unlink()


def _check_files(folder: Path, where: str) -> None:
    for file in sorted(folder.glob("*.json")):
        try:
            json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{where}: {file.name} is not whole JSON ({error}); fetch it again") from error
    if not (folder / "config.json").is_file():
        raise InputError(f"{where}: no config.json, so it is not a model")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise InputError(f"{where}: no weights, neither .safetensors nor {PICKLED}; choose another revision")
    for file in weights:
        try:
            with safe_open(str(file), framework="pt") as stream:
                stream.keys()
        except (SafetensorError, OSError) as error:
            raise InputError(f"{where}: {file.name} is not whole ({error}); fetch it again") from error
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        promised = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        missing = sorted(promised - {f.name for f in weights})
        if missing:
            raise InputError(f"{where}: {missing[0]} is missing; fetch it again")
