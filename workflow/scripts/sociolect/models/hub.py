"""Pinned snapshots of models of a hub, or of a folder in its place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from sociolect.common.errors import InputError
from sociolect.common.files import atomic_folder, write_json
from sociolect.models.loading import SNAPSHOT, check_snapshot, sha256_of
from sociolect.settings.models import HubModel

__all__ = ["fetch_snapshot"]

# weights are kept as safetensors only: pickled ones may run code when they are loaded
PICKLED = "pytorch_model.bin"
PATTERNS = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "*.spm", "*.tiktoken")


def fetch_snapshot(model: HubModel, hub: str, folder: Path) -> dict[str, Any]:
    """Make a local, pinned snapshot; the folder appears whole or not at all.

    Args:
        model: repo and revision.
        hub: address of the hub, or a folder in its place that holds <owner>/<name>/<revision>/ or
            <owner>/<name>/ with a file `revision` that holds the commit.
        folder: where the snapshot goes; `snapshot.json` inside names repo, revision and every file's SHA-256.

    Returns:
        what `snapshot.json` holds.

    Raises:
        InputError: the hub cannot be reached, it does not know the repo or revision, or a file is not whole.
    """
    with atomic_folder(Path(folder)) as temporary:
        if hub.startswith(("http://", "https://")):
            _download(model, hub, temporary)
        else:
            _copy(_stand_in(model, Path(hub)), temporary)
        _convert_weights(temporary)
        where = f"{model.repo} at {model.revision}"
        _check_weights(temporary, where)
        files = {
            p.relative_to(temporary).as_posix(): {"size": p.stat().st_size, "sha256": sha256_of(p)}
            for p in sorted(temporary.rglob("*"))
            if p.is_file()
        }
        snapshot = {"repo": model.repo, "revision": model.revision, "files": files}
        write_json(snapshot, temporary / SNAPSHOT)
    return snapshot


def _stand_in(model: HubModel, hub: Path) -> Path:
    repo = hub / model.repo
    if not hub.is_dir():
        raise InputError(f"models.hub: {hub} is neither an address (https://...) nor a folder")
    if not repo.is_dir():
        raise InputError(f"{hub}: no model {model.repo}; put its files in {repo}/{model.revision}/")
    if (repo / model.revision).is_dir():
        return repo / model.revision
    marker = repo / "revision"
    found = marker.read_text(encoding="utf-8").strip() if marker.is_file() else None
    if found != model.revision:
        others = sorted(p.name for p in repo.iterdir() if p.is_dir()) + ([found] if found else [])
        raise InputError(
            f"{repo}: revision {model.revision} is unknown; it has {', '.join(others) or 'none'}. "
            f"Set models.*.revision, or put the files in {repo}/{model.revision}/"
        )
    return repo


def _patterns(names: list[str]) -> list[str]:
    """What to take of a repo: pickled weights only where it has no others (as microsoft/deberta-v3-base)."""
    safe = any(name.endswith(".safetensors") for name in names)
    return [*PATTERNS] if safe else [*PATTERNS, PICKLED]


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


def _copy(source: Path, target: Path) -> None:
    for pattern in _patterns([file.name for file in source.iterdir()]):
        for file in sorted(source.glob(pattern)):
            if file.is_file() and file.name != SNAPSHOT:
                shutil.copyfile(file, target / file.name)
    marker = source / SNAPSHOT
    if marker.is_file():
        # the stand-in was itself made by this function: what it promised must have arrived
        shutil.copyfile(marker, target / SNAPSHOT)
        check_snapshot(target, contents=True)
        (target / SNAPSHOT).unlink()


def _download(model: HubModel, hub: str, target: Path) -> None:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        # asked once first: the download itself tries a dead address six times
        info = HfApi(endpoint=hub.rstrip("/")).model_info(model.repo, revision=model.revision, timeout=30)
        names = [file.rfilename for file in info.siblings or []]
        snapshot_download(
            model.repo,
            revision=model.revision,
            endpoint=hub.rstrip("/"),
            local_dir=target,
            allow_patterns=_patterns(names),
            ignore_patterns=["*/*"],
        )
    except RevisionNotFoundError as error:
        raise InputError(f"{hub}/{model.repo}: revision {model.revision} is unknown; set models.*.revision") from error
    except RepositoryNotFoundError as error:
        raise InputError(f"{hub}/{model.repo}: no such model, or one that asks for `hf auth login`") from error
    except Exception as error:  # the errors of the HTTP library, which changes with the client's version
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{hub}: cannot fetch {model.repo} ({type(error).__name__}: {reason}); run this on a machine with "
            "network, or set models.hub to a folder with the files"
        ) from error
    shutil.rmtree(target / ".cache", ignore_errors=True)


def _check_weights(folder: Path, where: str) -> None:
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
