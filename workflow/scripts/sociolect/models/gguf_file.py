"""Models in a GGUF file, dequantized into a snapshot that loads like any other."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from tokenizers.processors import Sequence, TemplateProcessing
from transformers import AutoConfig, AutoModelForCausalLM, GgufConfig, PreTrainedTokenizerFast
from transformers.integrations.gguf import convert_gguf_tokenizer, get_gguf_tokenizer

from sociolect.common.errors import InputError
from sociolect.models.gguf_header import GgufHeader, read_header
from sociolect.models.loading import sha256_of
from sociolect.models.snapshots import Check, anything, new_snapshot
from sociolect.settings.models import GgufModel

__all__ = ["dequantize", "fetch_gguf"]

# keys of tokens that end an answer, beside the model's own
_ENDS = ("eos", "eot", "eom")
_ADDS_BOS = {"llama3", "llama-v3", "llama-bpe", "tekken"}


def fetch_gguf(model: GgufModel, folder: Path, check: Check = anything) -> None:
    """Make a snapshot of a GGUF file.

    Args:
        model: the file, and its SHA-256 where it is pinned.
        folder: where the snapshot goes.
        check: what else the model must pass; it is asked before any weight is read, too.

    Raises:
        InputError: the file is missing, cut, of another hash, without a tokenizer, or of an architecture that
            transformers does not read.
    """
    path = Path(model.gguf)
    read_header(path)
    found = sha256_of(path)
    if model.sha256 not in (None, found):
        raise InputError(f"{path}: its SHA-256 is {found}, not {model.sha256}; get the file again, or mend the key")
    with new_snapshot(folder, {"gguf": path.name, "sha256": found}, str(path), check) as temporary:
        dequantize(path, temporary, check)


def dequantize(path: Path, folder: Path, check: Check = anything) -> None:
    """Write a GGUF file's model and tokenizer into a folder.

    Raises:
        InputError: as `fetch_gguf`.
    """
    header = read_header(path)
    if "tokenizer.ggml.tokens" not in header.values:
        raise InputError(f"{path}: no tokenizer in it; take a GGUF file that has one")
    with _read_once():
        config = _config_of(path, header)
        config.save_pretrained(folder)
        check(folder)
        _save_tokenizer(path, header, folder)
        _save_model(path, config, header, folder)


class _QuickReader(gguf.GGUFReader):
    """The same reader on a plain array: each slice of a memory map is one of its own, three times as slow."""

    @property
    def data(self) -> Any:
        return self._array

    @data.setter
    def data(self, value: Any) -> None:
        self._array = value.view(np.ndarray)


@contextmanager
def _read_once() -> Iterator[None]:
    """transformers parses the file for the config and again for the tensors: 10 s each for a large vocabulary."""
    reader = gguf.GGUFReader
    gguf.GGUFReader = functools.cache(_QuickReader)  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        gguf.GGUFReader = reader  # type: ignore[misc]


def _config_of(path: Path, header: GgufHeader) -> Any:
    try:
        config = AutoConfig.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
        with torch.device("meta"):
            AutoModelForCausalLM.from_config(config)
    except (ValueError, KeyError, NotImplementedError) as error:
        raise InputError(
            f"{path}: transformers reads no language model of its architecture {header.architecture} "
            f"({_reason(error)}); choose another"
        ) from error
    return config


def _save_model(path: Path, config: Any, header: GgufHeader, folder: Path) -> None:
    try:
        # float32: a quantized weight is a product that 16 bits would round, and a run in float32 must not lose by it
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            path.parent,
            gguf_file=path.name,
            config=config,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
            local_files_only=True,
            output_loading_info=True,
        )
    except (ValueError, KeyError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: its {header.architecture} model cannot be read ({_reason(error)})") from error
    model, info = loaded
    if info["missing_keys"]:
        raise InputError(f"{path}: no weights for {sorted(info['missing_keys'])[0]}; get the file again")
    ends = {model.generation_config.eos_token_id, *(header.values.get(f"tokenizer.ggml.{k}_token_id") for k in _ENDS)}
    found = sorted(ends - {None})
    model.generation_config.eos_token_id = found if len(found) > 1 else (found or [None])[0]
    model.save_pretrained(folder)


def _save_tokenizer(path: Path, header: GgufHeader, folder: Path) -> None:
    try:
        architecture, values, special = get_gguf_tokenizer(str(path))
        backend, _ = convert_gguf_tokenizer(architecture, values)
    except (ValueError, KeyError, IndexError) as error:
        raise InputError(f"{path}: its tokenizer cannot be read ({_reason(error)}); choose another") from error
    if _adds_bos(header) and (bos := special.get("bos_token")) is not None:
        # what transformers makes of the file leaves it out
        begin = TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos} $B:1", special_tokens=[(bos, backend.token_to_id(bos))]
        )
        before = backend.post_processor
        backend.post_processor = begin if before is None else Sequence([before, begin])
    # of no model's class: those make the tokenizer anew when it is loaded, as they would have it
    PreTrainedTokenizerFast(tokenizer_object=backend, **special).save_pretrained(folder)


def _adds_bos(header: GgufHeader) -> bool:
    """What the file says, or else llama.cpp's rule for its kind of tokenizer."""
    kind, before = (header.values.get(f"tokenizer.ggml.{key}") for key in ("model", "pre"))
    return bool(header.values.get("tokenizer.ggml.add_bos_token", kind == "llama" or before in _ADDS_BOS))


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
