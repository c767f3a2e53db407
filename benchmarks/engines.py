"""Who answers in the generation benchmark: functions for the models in this process, processes for vLLM's engines.

An engine has a process of its own, which waits while others have their turn: an idle one takes no time, and vLLM keeps
global state of which two engines in one process would share the last.
"""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from language_models import PAD, Steered, Work
from measuring import Spent, hush_transformers, timed
from sociolect.common.errors import InputError
from sociolect.lm.hooks import add_to_blocks
from sociolect.lm.requests import Request, SteerRef, read_vectors
from sociolect.lm.vllm_backend import VllmBackend
from sociolect.lm.vllm_engine import ENVIRONMENT
from sociolect.settings.vllm import VllmSettings

__all__ = ["Answers", "Engine", "EngineSpec", "Tokens", "answers_of", "generate_answers", "peer_answers"]

Tokens = dict[str, Sequence[int]]
Answers = Callable[[Sequence[Request]], Tokens]
CPU = torch.device("cpu")
PATIENCE = 60
RUNNER = "VLLM_USE_V2_MODEL_RUNNER"
PLAIN_CPU = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}


def answers_of(backend: Any, grouped: bool = False) -> Answers:
    """Those of one of this project's backends: all requests at once, or one call per vector."""

    def answer(requests: Sequence[Request]) -> Tokens:
        parts = groups_of(requests).values() if grouped else [requests]
        return {result.id: result.token_ids for part in parts for result in backend.generate(part)}

    return answer


def generate_answers(model: Any, batch_size: int) -> Answers:
    """`transformers.generate` as its manual shows it: padded on the left, longest prompts first."""

    def answer(requests: Sequence[Request]) -> Tokens:
        ordered = sorted(requests, key=lambda request: -len(request.prompt_token_ids))
        found: Tokens = {}
        for start in range(0, len(ordered), batch_size):
            found |= _generate(model, ordered[start : start + batch_size])
        return found

    return answer


def peer_answers(model: Any, batch_size: int) -> Answers:
    """The peers' manner: a hook adds one vector while `transformers.generate` answers all requests that have it."""
    generate = generate_answers(model, batch_size)

    def answer(requests: Sequence[Request]) -> Tokens:
        found: Tokens = {}
        for steer, part in groups_of(requests).items():
            with add_to_blocks(model, _additions(steer, model.device)):
                found |= generate(part)
        return found

    return answer


def groups_of(requests: Sequence[Request]) -> dict[SteerRef | None, list[Request]]:
    """The requests of each vector."""
    groups: dict[SteerRef | None, list[Request]] = {}
    for request in requests:
        groups.setdefault(request.steer, []).append(request)
    return groups


def _additions(steer: SteerRef | None, device: torch.device) -> dict[int, torch.Tensor | None]:
    if steer is None:
        return {}
    rows = read_vectors(steer.vectors_file, [steer.key])[steer.key] * (steer.strength / len(steer.layers))
    return {layer: rows[layer].to(device) for layer in steer.layers}


@torch.inference_mode()
def _generate(model: Any, batch: Sequence[Request]) -> Tokens:
    longest, first = max(len(request.prompt_token_ids) for request in batch), batch[0]
    ids = torch.full((len(batch), longest), PAD)
    mask = torch.zeros_like(ids)
    for row, request in enumerate(batch):
        n = len(request.prompt_token_ids)
        ids[row, longest - n :] = torch.tensor(request.prompt_token_ids)
        mask[row, longest - n :] = 1
    how: dict[str, Any] = {"do_sample": False}
    if first.temperature > 0:
        how = {"do_sample": True, "temperature": first.temperature, "top_p": first.top_p, "top_k": 0}
    tokens = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        max_new_tokens=first.max_new_tokens,
        pad_token_id=PAD,
        **how,
    )
    return {request.id: row for request, row in zip(batch, tokens[:, longest:].tolist(), strict=True)}


@dataclass(frozen=True)
class EngineSpec:
    """How an engine is made.

    Attributes:
        settings: of vLLM; `plain` ones take `max_sequences`, `cache_gib` and `memory_share` only.
        plain: vLLM without anything of this project.
        compiled: plain: as installed, with torch.compile, and the runner that vLLM chooses.
    """

    folder: Path
    dtype: str
    threads: int
    settings: VllmSettings
    plain: bool = False
    compiled: bool = False


class Engine:
    """An engine of vLLM in a process of its own.

    Attributes:
        version: of vLLM, once it has started.
        failure: why it did not start; empty if it did.
        missing: it did not because vLLM cannot be imported here.
    """

    def __init__(self, spec: EngineSpec, work: Work) -> None:
        self._spec, self._work = spec, work
        self._process: Any = None
        self._connection: Any = None
        self.version, self.failure, self.missing = "", "", False

    @property
    def running(self) -> bool:
        """Whether there is such a process."""
        return self._process is not None

    def start(self) -> None:
        """Start it."""
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        # vLLM starts processes itself, which the children of daemons may not
        self._process = context.Process(target=_serve, args=(other, self._spec, self._work), daemon=False)
        self._process.start()
        other.close()
        try:
            self.version, self.failure, self.missing = self._receive()
        except InputError as error:
            self.failure = str(error)
        if self.failure:
            self.stop()

    def answers(self, number: int, steered: Steered, grouped: bool = False, greedy: bool = False) -> Tokens:
        """The tokens of a call, untimed."""
        return self._ask(number, steered, grouped, greedy)[0]

    def spent(self, number: int, steered: Steered, grouped: bool = False) -> Spent:
        """What a call takes."""
        return self._ask(number, steered, grouped, False)[1]

    def stop(self) -> None:
        """End the process."""
        if self._process is None:
            return
        with suppress(OSError):
            self._connection.send(None)
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()
        self._connection.close()
        self._process = None

    def _ask(self, *job: Any) -> tuple[Tokens, Spent]:
        if not self.running:
            raise InputError(f"vLLM does not start any more: {self.failure}")
        self._connection.send(job)
        return self._receive()

    def _receive(self) -> Any:
        try:
            found = self._connection.recv()
        except EOFError as error:
            raise InputError("vLLM's process ended; what it wrote above says why") from error
        if isinstance(found, Exception):
            raise InputError(f"vLLM: {found}") from found
        return found


def _serve(connection: Any, spec: EngineSpec, work: Work) -> None:
    """Make the engine, answer jobs, end when None comes, or whoever asks has gone."""
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    hush_transformers()
    warnings.simplefilter("ignore", FutureWarning)
    try:
        version, answers = _open(spec)
    except Exception as error:  # whatever an engine raises that does not start; who asks says so
        missing = isinstance(error, ImportError) or isinstance(error.__cause__, ImportError)
        connection.send(("", f"{error}".strip().split("\n")[0] or type(error).__name__, missing))
        return
    connection.send((version, "", False))
    try:
        while (job := connection.recv()) is not None:
            try:
                connection.send(_done(answers, work, *job))
            except RuntimeError as error:
                connection.send(error)
    except EOFError:
        pass


def _done(
    answers: Callable[[bool], Answers], work: Work, number: int, steered: Steered, grouped: bool, greedy: bool
) -> tuple[Tokens, Spent]:
    requests, answer, found = work.requests(number, steered, greedy), answers(grouped), dict[str, Sequence[int]]()
    # what comes from an engine is in this process's memory: no queue of a device to wait for
    spent = timed(lambda: found.update(answer(requests)), CPU)
    return found, spent


def _open(spec: EngineSpec) -> tuple[str, Callable[[bool], Answers]]:
    """Version of vLLM, and whether grouped -> who answers."""
    if spec.plain:
        version, answer = _open_plain(spec)
        return version, lambda grouped: answer
    backend = VllmBackend(spec.folder, spec.settings, spec.dtype, spec.threads)
    return backend.info()["vllm"], partial(answers_of, backend)


def _open_plain(spec: EngineSpec) -> tuple[str, Answers]:
    """vLLM as its manual shows it."""
    cuda = torch.cuda.is_available()
    quiet = {name: value for name, value in ENVIRONMENT.items() if name != RUNNER}
    os.environ.update(quiet if spec.compiled else ENVIRONMENT)
    os.environ.update({} if cuda else PLAIN_CPU)
    if not cuda:
        torch.set_num_threads(spec.threads)
    import vllm

    settings = spec.settings
    llm = vllm.LLM(
        model=str(spec.folder),
        dtype=spec.dtype,
        seed=0,
        max_num_seqs=settings.max_sequences,
        gpu_memory_utilization=settings.memory_share,
        kv_cache_memory_bytes=None if settings.cache_gib is None else int(settings.cache_gib * 2**30),
        enforce_eager=not spec.compiled,
    )

    def answer(requests: Sequence[Request]) -> Tokens:
        first = requests[0]
        params = vllm.SamplingParams(
            temperature=first.temperature,
            top_p=first.top_p,
            max_tokens=first.max_new_tokens,
            ignore_eos=True,
            detokenize=False,
        )
        prompts = [{"prompt_token_ids": list(request.prompt_token_ids)} for request in requests]
        outputs = llm.generate(prompts, params, use_tqdm=False)
        return {r.id: list(o.outputs[0].token_ids) for r, o in zip(requests, outputs, strict=True)}

    return vllm.__version__, answer
