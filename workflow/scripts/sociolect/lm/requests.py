"""What a backend is asked and what it returns; the file of steering vectors that both share.

A vectors file is safetensors: key -> tensor [n_layers, d], row l being r[l] * v[l], a unit vector times the
median residual norm of its layer. What a backend does to the output h of each of the named layers, by mode, with
d = strength * row / len(layers), so that strength 0 is always the identity:

- `add`: h + d;
- `adaptive`: only what is missing is added, h + max(0, floor[l] + |d| - h.v[l]) * v[l], where floor[l] is the
  projection of the average text on v[l]: tensor [n_layers, 1] under `floor_key(key)` in the same file;
- `rotate`: (h + d) * |h| / |h + d|, which keeps the norm.

(|d| stands for strength * r[l] / len(layers), of the strength's sign.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from sociolect.common.errors import InputError
from sociolect.common.files import atomic_path
from sociolect.common.progress import Report
from sociolect.lm.stopping import first_stop, text_of
from sociolect.lm.thoughts import Parted, part_thoughts

__all__ = [
    "MODES",
    "POSITIONS",
    "Backend",
    "Request",
    "Result",
    "SteerRef",
    "check_requests",
    "floor_key",
    "read_vectors",
    "result_of",
    "write_vectors",
]

POSITIONS = ("generated", "last", "all")
MODES = ("add", "adaptive", "rotate")
_FLOOR = "floor/"


@dataclass(frozen=True)
class SteerRef:
    """Which vector is added, where and how strongly.

    Attributes:
        vectors_file: path of the safetensors file.
        key: tensor in it, [n_layers, d].
        layers: blocks whose outputs are steered, from 0.
        strength: alpha, in units of the median residual norm.
        positions: `generated` (tokens that were generated), `last` (the last prompt token, too) or `all`.
        mode: `add`, `adaptive` or `rotate`, as above.
    """

    vectors_file: str
    key: str
    layers: tuple[int, ...]
    strength: float
    positions: str = "generated"
    mode: str = "add"


@dataclass(frozen=True)
class Request:
    """One generation. Temperature 0 is greedy. The seed alone decides the draws, whatever else is in the batch.

    `pattern` is a regular expression that the whole text must match; only a backend that `guides` takes it. The text
    ends before the first of the strings of `stop`.
    """

    id: str
    prompt_token_ids: tuple[int, ...]
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    steer: SteerRef | None = None
    pattern: str | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """One answer: tokens without the end token, their text, and why it ended: `stop`, `stop_string` or `length`.

    `thoughts` are the tokens that were generated before the answer's final part, which alone is the answer; of one that
    never came to it, all.
    """

    id: str
    token_ids: tuple[int, ...]
    text: str
    finish_reason: str
    thoughts: tuple[int, ...] = ()


def result_of(request: Request, token_ids: Sequence[int], ends: Collection[int], tokenizer: Any) -> Result:
    """A request's result from what was generated for it, which may end with an end token or hold a stop string.

    Thoughts are cut, and white space after them; a text that is held to a pattern has none. What follows the beginning
    of a stop string is cut, from the text and from the tokens, so that it does not matter how many tokens later a
    backend noticed it.
    """
    stopped = bool(token_ids) and token_ids[-1] in ends
    said = [int(t) for t in (token_ids[:-1] if stopped else token_ids)]
    parted = (
        part_thoughts(request.prompt_token_ids, said, tokenizer) if request.pattern is None else Parted((), (*said,))
    )
    ids = parted.final

    def beginning(n: int) -> str:
        text = parted.begun + text_of(ids[:n], tokenizer)
        return text.lstrip() if parted.thoughts else text

    text = beginning(len(ids))
    at = first_stop(text, request.stop)
    if at is None:
        # a stop string among the thoughts ends all
        cut = bool(parted.thoughts) and first_stop(text_of(said, tokenizer), request.stop) is not None
        reason = "stop_string" if cut else "stop" if stopped else "length"
        return Result(request.id, ids, text, reason, parted.thoughts)
    # the longest beginning that lies before the stop string; a letter of several bytes is shorter when it is whole
    kept = max(n for n in range(len(ids) + 1) if len(beginning(n)) <= at)
    return Result(request.id, ids[:kept], text[:at], "stop_string", parted.thoughts)


class Backend(Protocol):
    """Answers requests; `transformers` is the reference.

    Attributes:
        tokenizer: of the language model.
        one_queue: whether requests are best given all at once; else a piece of them at a time.
        guides: whether it can hold a text to a pattern.
        ends: tokens that end an answer.
    """

    tokenizer: Any
    one_queue: bool
    guides: bool
    ends: set[int]

    @property
    def context(self) -> int | None:
        """Longest prompt and output together; None where the model states none."""
        ...

    @property
    def end_token(self) -> int | None:
        """A token that ends an answer; None if the model has none."""
        ...

    def info(self) -> dict[str, Any]:
        """Name, versions, dtype, device: what decides the bytes of an answer beside the request."""
        ...

    def generate(self, requests: Sequence[Request], progress: Report | None = None) -> Iterator[Result]:
        """Results in any order, one per request."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


def check_requests(requests: Sequence[Request], max_tokens: int | None, n_layers: int, vocabulary: int) -> None:
    """Refuse what no backend can answer, before anything runs.

    Args:
        requests: the requests.
        max_tokens: the model's context, prompt and output together; None for no limit.
        n_layers: blocks of the model.
        vocabulary: size of the model's vocabulary.

    Raises:
        InputError: naming the request and what to change.
    """
    seen: set[str] = set()
    for request in requests:
        where = f"request {request.id!r}"
        if request.id in seen:
            raise InputError(f"{where} occurs twice; ids must be unique")
        seen.add(request.id)
        n = len(request.prompt_token_ids)
        if n == 0:
            raise InputError(f"{where}: the prompt has no tokens")
        if min(request.prompt_token_ids) < 0 or max(request.prompt_token_ids) >= vocabulary:
            raise InputError(f"{where}: a prompt token is not in the model's vocabulary of {vocabulary}")
        if request.max_new_tokens < 1:
            raise InputError(f"{where}: max_new_tokens is {request.max_new_tokens}, it must be at least 1")
        if max_tokens is not None and n + request.max_new_tokens > max_tokens:
            raise InputError(
                f"{where}: prompt of {n} tokens and {request.max_new_tokens} new ones exceed the model's "
                f"{max_tokens}; lower generation.max_question_chars or generation.max_new_tokens"
            )
        if not request.temperature >= 0 or not 0 < request.top_p <= 1:
            raise InputError(
                f"{where}: temperature {request.temperature} must be >= 0, top_p {request.top_p} in (0, 1]"
            )
        if request.steer is not None:
            _check_steer(request.steer, where, n_layers)


def _check_steer(steer: SteerRef, where: str, n_layers: int) -> None:
    if steer.positions not in POSITIONS:
        raise InputError(f"{where}: positions {steer.positions!r}; use {', '.join(POSITIONS)}")
    if steer.mode not in MODES:
        raise InputError(f"{where}: mode {steer.mode!r}; use {', '.join(MODES)}")
    if not steer.layers or len(set(steer.layers)) < len(steer.layers):
        raise InputError(f"{where}: steered layers {steer.layers} must be at least one, none twice")
    if min(steer.layers) < 0 or max(steer.layers) >= n_layers:
        raise InputError(f"{where}: steers layers {steer.layers}, the model has 0 to {n_layers - 1}")


def floor_key(key: str) -> str:
    """Where a vectors file keeps the floors [n_layers, 1] of this key, for mode `adaptive`."""
    return _FLOOR + key


def write_vectors(vectors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write a vectors file atomically: key -> [n_layers, d], and floor_key(key) -> [n_layers, 1]; float32.

    Raises:
        InputError: a tensor is not finite, shapes differ, or a floor has no vector.
    """
    shapes = {tuple(v.shape) for key, v in vectors.items() if not key.startswith(_FLOOR)}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise InputError(f"{path}: steering vectors must all be [layers, width], found {sorted(shapes)}")
    floor_shape = (next(iter(shapes))[0], 1)
    for key, value in vectors.items():
        if not torch.isfinite(value).all():
            raise InputError(f"{path}: steering vector {key!r} is not finite")
        if not key.startswith(_FLOOR):
            continue
        if key.removeprefix(_FLOOR) not in vectors:
            raise InputError(f"{path}: {key!r} has no steering vector {key.removeprefix(_FLOOR)!r} beside it")
        if tuple(value.shape) != floor_shape:
            raise InputError(f"{path}: {key!r} is {tuple(value.shape)}, it must be {floor_shape}")
    with atomic_path(path) as temporary:
        # sorted: the bytes must not depend on the order of making
        save_file({k: vectors[k].to(torch.float32).contiguous() for k in sorted(vectors)}, temporary)


def read_vectors(path: Path | str, keys: Sequence[str]) -> dict[str, torch.Tensor]:
    """The named tensors of a vectors file, [n_layers, d] or of a floor [n_layers, 1], float32 on the CPU.

    Raises:
        InputError: no such file, not safetensors, or a key is not in it.
    """
    try:
        with safe_open(str(path), framework="pt") as stream:
            known = set(stream.keys())
            for key in keys:
                if key not in known and key.startswith(_FLOOR):
                    raise InputError(f"{path}: no {key!r}, which mode adaptive needs; build the file again")
                if key not in known:
                    some = ", ".join(sorted(known)[:5])
                    raise InputError(f"{path}: no steering vector {key!r}; it has {len(known)}, such as {some}")
            return {key: stream.get_tensor(key).to(torch.float32) for key in keys}
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not a whole vectors file ({error}); build it again") from error
