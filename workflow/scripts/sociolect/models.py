"""Language models: pinned snapshots, and loading from a local folder with the hub switched off."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from sociolect.artifacts import atomic_folder, write_json
from sociolect.errors import InputError
from sociolect.settings import HubModel

__all__ = ["check_snapshot", "end_tokens", "fetch_snapshot", "load_causal_lm", "load_tokenizer", "pick_device"]

SNAPSHOT = "snapshot.json"
# weights are kept as safetensors only: pickled ones may run code when they are loaded
PICKLED = "pytorch_model.bin"
PATTERNS = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model", "*.spm", "*.tiktoken")
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


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
            p.relative_to(temporary).as_posix(): {"size": p.stat().st_size, "sha256": _sha256(p)}
            for p in sorted(temporary.rglob("*"))
            if p.is_file()
        }
        snapshot = {"repo": model.repo, "revision": model.revision, "files": files}
        write_json(snapshot, temporary / SNAPSHOT)
    return snapshot


def check_snapshot(folder: Path, contents: bool = False) -> None:
    """Check a model folder: it holds a config and, if it is a snapshot, every file in its full size.

    Args:
        folder: a snapshot, or a model trained by the run.
        contents: compare the SHA-256 of every file, too.

    Raises:
        InputError: naming the file.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: no config.json; give the folder of a model, or fetch it again")
    if not (folder / SNAPSHOT).is_file():
        return
    for name, known in json.loads((folder / SNAPSHOT).read_text(encoding="utf-8"))["files"].items():
        path = folder / name
        if (
            not path.is_file()
            or path.stat().st_size != known["size"]
            or (contents and _sha256(path) != known["sha256"])
        ):
            raise InputError(f"{path}: missing or changed since it was fetched; delete {folder} and run again")


def pick_device(device: str = "auto") -> torch.device:
    """`auto` is the GPU where there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def load_causal_lm(folder: Path, dtype: str = "float32", device: str = "auto") -> Any:
    """The language model of a local folder, ready to read and generate; the hub is never asked.

    Raises:
        InputError: the folder is missing, not whole or not a causal language model.
    """
    if dtype not in _DTYPES:
        raise InputError(f"models.dtype is {dtype!r}; use {', '.join(_DTYPES)}")
    check_snapshot(folder)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config()
        # transformers' default kernel leaves Gemma 2's cap of the attention logits out, silently
        attention = "eager" if getattr(config, "attn_logit_softcapping", None) else None
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=_DTYPES[dtype], attn_implementation=attention, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(f"{folder}: not a whole causal language model ({error}); fetch or train it again") from error
    return model.to(pick_device(device)).eval().requires_grad_(False)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a local folder; the hub is never asked.

    Raises:
        InputError: the folder has no tokenizer, or one that cannot tell where its tokens lie in the text.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: no whole tokenizer ({error}); fetch or train the model again") from error
    if not tokenizer.is_fast:
        raise InputError(f"{folder}: its tokenizer gives no offsets; choose a model with a tokenizer.json")
    return tokenizer


def end_tokens(folder: Path, tokenizer: Any) -> set[int]:
    """Tokens that end an answer: those of the model's generation config (or its config) and the tokenizer's."""
    if (folder / "generation_config.json").is_file():
        configured = GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id
    else:
        configured = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config().eos_token_id
    ends = set(configured if isinstance(configured, list) else [configured]) | {tokenizer.eos_token_id}
    return {int(token) for token in ends if token is not None}


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


def _sha256(path: Path) -> str:
    sha = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()
