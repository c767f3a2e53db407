"""Loading a model from its local folder, whole and with the hub switched off."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
)

from sociolect.common.errors import InputError

__all__ = [
    "SNAPSHOT",
    "check_class",
    "check_loadable",
    "check_snapshot",
    "context_of",
    "end_tokens",
    "load_causal_lm",
    "load_config",
    "load_tokenizer",
    "pick_device",
    "sha256_of",
]

SNAPSHOT = "snapshot.json"
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# what each of the two models must be
_CLASSES = {
    "lm": (MODEL_FOR_CAUSAL_LM_MAPPING, "a language model"),
    "sfam": (MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, "an encoder for pairs of texts"),
}
# characters of what transformers says that are shown
_SHOWN = 300


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
            or (contents and sha256_of(path) != known["sha256"])
        ):
            raise InputError(f"{path}: missing or changed since it was fetched; delete {folder} and run again")


def check_loadable(folder: Path, kind: str) -> None:
    """Check that transformers loads a model's config and tokenizer, in a second and without its weights.

    Args:
        folder: with the model's files.
        kind: lm or sfam.

    Raises:
        InputError: naming the folder, with what transformers said and what to do.
    """
    check_class(folder, kind)
    load_tokenizer(folder)


def check_class(folder: Path, kind: str) -> None:
    """Check that a local folder's config is that of a model which lm or sfam can be.

    Raises:
        InputError: naming the folder and the type of the model.
    """
    known, words = _CLASSES[kind]
    config = load_config(folder)
    if type(config) not in known:
        raise InputError(
            f"{folder}: transformers has no model of type {config.model_type} that is {words}; choose another for "
            f"models.{kind}"
        )


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


def load_config(folder: Path) -> Any:
    """The config of a local folder's model; the hub is never asked, and no code of the model is run.

    Raises:
        InputError: transformers does not know such a model, or the config is not whole.
    """
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever a config makes transformers raise
        raise InputError(f"{folder}: its config cannot be loaded ({_said(error)}); {_remedy(error)}") from error


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a local folder; the hub is never asked.

    Raises:
        InputError: the folder has no tokenizer, or one that cannot tell where its tokens lie in the text.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # tokenizers raises Exception itself, a package that is not there ImportError
        raise InputError(f"{folder}: no whole tokenizer ({_said(error)}); {_remedy(error)}") from error
    if not tokenizer.is_fast:
        raise InputError(f"{folder}: its tokenizer gives no offsets; choose a model with a tokenizer.json")
    return tokenizer


def _said(error: Exception) -> str:
    """What transformers said, in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def _remedy(error: Exception) -> str:
    if isinstance(error, ImportError):
        return "choose another model, or install the package that it needs into the environment"
    if "trust_remote_code" in str(error):
        return "choose a model that needs no code of its own, which is never run"
    return "choose a model that transformers loads, or fetch or train it again"


def context_of(folder: Path) -> int | None:
    """Longest prompt and output together of a local folder's model; None where its config states none."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config()
    limit = getattr(config, "max_position_embeddings", None)
    return int(limit) if limit else None


def end_tokens(folder: Path, tokenizer: Any) -> set[int]:
    """Tokens that end an answer: those of the model's generation config (or its config) and the tokenizer's."""
    if (folder / "generation_config.json").is_file():
        configured = GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id
    else:
        configured = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config().eos_token_id
    ends = set(configured if isinstance(configured, list) else [configured]) | {tokenizer.eos_token_id}
    return {int(token) for token in ends if token is not None}


def sha256_of(path: Path) -> str:
    """Digest of a file's bytes."""
    sha = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()
