"""Snapshots of models: a folder that appears whole, checked, with the digests of its files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from sociolect.common.errors import InputError
from sociolect.common.files import atomic_folder, write_json
from sociolect.models.loading import SNAPSHOT, check_snapshot, load_config, load_tokenizer, sha256_of
from sociolect.settings.models import MODEL_FILES, PICKLED

__all__ = ["PICKLED", "Check", "anything", "files_of", "new_snapshot", "take_files"]

Check = Callable[[Path], None]
# weights are kept as safetensors only: pickled ones may run code when they are loaded
PATTERNS = tuple(name for name in MODEL_FILES if name != PICKLED)
# Mistral's own format, which transformers does not read: the same weights once more
CONSOLIDATED = "consolidated*.safetensors"


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
        InputError: a file is not whole, or transformers loads no config or no tokenizer from them.
    """
    with atomic_folder(Path(folder)) as temporary:
        yield temporary
        _convert_weights(temporary)
        _check_files(temporary, where)
        try:
            load_config(temporary)
            check(temporary)
            load_tokenizer(temporary)
        except InputError as error:
            # the temporary folder will be gone
            raise InputError(str(error).replace(str(temporary), f"{where} (for {folder})")) from error
        files = {
            p.relative_to(temporary).as_posix(): {"size": p.stat().st_size, "sha256": sha256_of(p)}
            for p in sorted(temporary.rglob("*"))
            if p.is_file()
        }
        write_json({**source, "files": files}, temporary / SNAPSHOT)


def files_of(names: Iterable[str]) -> list[str]:
    """Which of a model's files to take, sorted: none in folders, and no weights twice.

    Pickled weights are taken only where there are no others (as in microsoft/deberta-v3-base).
    """
    kept = [name for name in names if "/" not in name and not fnmatch(name, CONSOLIDATED)]
    safe = any(name.endswith(".safetensors") for name in kept)
    patterns = PATTERNS if safe else (*PATTERNS, PICKLED)
    return sorted(name for name in kept if any(fnmatch(name, pattern) for pattern in patterns))


def take_files(source: Path, target: Path, link: bool = False) -> None:
    """Take a model's files from a folder; if it is a snapshot itself, all that it promises must arrive.

    Args:
        source: folder with a model.
        target: folder, empty so far.
        link: by hard link where both are on one disk, so that nothing is there twice.

    Raises:
        InputError: a file of the snapshot is missing or changed.
    """
    for name in files_of(file.name for file in source.iterdir() if file.is_file()):
        if name != SNAPSHOT:
            _take((source / name).resolve(), target / name, link)
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
