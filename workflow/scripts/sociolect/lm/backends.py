"""Choosing the backend of a stage."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from sociolect.common.errors import InputError
from sociolect.lm.requests import Backend
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.settings.vllm import BackendChoice

__all__ = ["open_backend"]


def open_backend(
    choice: str,
    folder: Path,
    batch_tokens: int,
    dtype: str,
    threads: int,
    reader: TransformersBackend | None = None,
) -> Backend:
    """The backend of a stage, ready to generate.

    Args:
        choice: the flag `--backend`: `{"backend": "transformers"}`, or vllm and how it is run.
        folder: the language model.
        batch_tokens: transformers: token budget of a batch.
        dtype: of the weights.
        threads: CPU threads.
        reader: the same model, where the stage reads it, too: it is the transformers backend, or vLLM is compared
            with it and leaves it room.

    Raises:
        InputError: a flag, a model or an engine that is not as it should be.
    """
    try:
        wanted = BackendChoice.model_validate_json(choice)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"--backend: {'.'.join(map(str, first['loc'])) or choice!r}: {first['msg']}") from error
    if wanted.backend == "transformers":
        return reader or TransformersBackend(folder, batch_tokens, dtype)
    from sociolect.lm.vllm_backend import VllmBackend

    return VllmBackend(folder, wanted.vllm, dtype, threads, reader)
