"""Models of a hub, or of a folder in its place."""

from __future__ import annotations

import shutil
from pathlib import Path

from sociolect.common.errors import InputError
from sociolect.models.snapshots import Check, anything, files_of, new_snapshot, take_files
from sociolect.settings.models import HubModel

__all__ = ["fetch_snapshot"]


def fetch_snapshot(model: HubModel, hub: str, folder: Path, check: Check = anything) -> None:
    """Make a local, pinned snapshot; the folder appears whole or not at all.

    Args:
        model: repo and revision.
        hub: address of the hub, or a folder in its place that holds <owner>/<name>/<revision>/ or
            <owner>/<name>/ with a file `revision` that holds the commit.
        folder: where the snapshot goes; `snapshot.json` inside names repo, revision and every file's SHA-256.
        check: what else the model must pass.

    Raises:
        InputError: the hub cannot be reached, it does not know the repo or revision, or a file is not whole.
    """
    source = {"repo": model.repo, "revision": model.revision}
    with new_snapshot(folder, source, f"{model.repo} at {model.revision}", check) as temporary:
        if hub.startswith(("http://", "https://")):
            _download(model, hub, temporary)
        else:
            take_files(_stand_in(model, Path(hub)), temporary)


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
            allow_patterns=files_of(names),
        )
    except RevisionNotFoundError as error:
        raise InputError(f"{hub}/{model.repo}: revision {model.revision} is unknown; set models.*.revision") from error
    except RepositoryNotFoundError as error:
        raise InputError(f"{hub}/{model.repo}: no such model, or one that asks for `hf auth login`") from error
    except Exception as error:  # the errors of the HTTP library, which changes with the client's version
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(
            f"{hub}: cannot fetch {model.repo} ({type(error).__name__}: {reason}); see this machine's network "
            "or proxy (https_proxy), or set models.hub to a mirror or to a folder with the files"
        ) from error
    shutil.rmtree(target / ".cache", ignore_errors=True)
