"""The fast backend: vLLM, one engine per job, requests of all conditions and steerings in one queue.

vLLM steers nothing by itself (its issue 3451). Steering is done by a small extension of its workers, vllm_worker.py,
which adds a vector (mode `add`; other modes are refused), in one of three ways (config key `vllm.steering`):

- `eager`: hooks on the blocks; a slot per token, so that any steerings share a batch;
- `compiled`: the same hooks, put on before the model is compiled, so that they survive torch.compile and CUDA graphs;
- `one_vector`: one steering and one prompt length per call; needs nothing of vLLM's runner, and is slower.

Prefix caching stays on: every request carries a salt made of its steering, so that no block of keys and values that was
computed under one vector is read under another. Before the first answer, `check_steering` compares the engine with
transformers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.lm.requests import Request, Result, SteerRef, check_requests, read_vectors, result_of
from sociolect.lm.steering_check import Case, check_steering, reference_of
from sociolect.lm.steering_slots import first_steered, steering_digest
from sociolect.lm.thoughts import ThoughtTally
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.vllm_engine import start_engine
from sociolect.lm.vllm_worker import EXTRA
from sociolect.models.loading import check_snapshot, end_tokens, load_tokenizer
from sociolect.settings.vllm import VllmSettings

__all__ = ["VllmBackend"]

log = logging.getLogger("sociolect")
UNSTEERED = "unsteered"
READ_TOKENS = 2048


class VllmBackend:
    """Answers requests with vLLM.

    Args:
        model_folder: local folder of the language model.
        settings: how vLLM is run.
        dtype: float32 or bfloat16.
        threads: CPU threads; used where there is no GPU.
        reader: the same model in transformers, if the caller holds it anyway; it is compared with, and the engine
            leaves it half of the memory.

    Attributes:
        tokenizer: of the language model.
        one_queue: all requests at once.
        ends: tokens that end an answer.
        worst_error: largest relative error of the test at the start.
        guides: whether a text can be held to a pattern: the tokenizer's tokens, put together, are the text.

    Raises:
        InputError: no vLLM here, a model or a runner that it cannot steer, or an engine whose steered logits are not
            those of transformers.
    """

    one_queue = True

    def __init__(
        self,
        model_folder: Path | str,
        settings: VllmSettings,
        dtype: str = "float32",
        threads: int = 1,
        reader: TransformersBackend | None = None,
    ) -> None:
        folder = Path(model_folder)
        check_snapshot(folder)
        self.settings, self.dtype = settings, dtype
        self.tokenizer: Any = load_tokenizer(folder)
        self._config: Any = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config()
        self.guides = _is_spelled(self.tokenizer)
        self.ends = end_tokens(folder, self.tokenizer)
        self.n_layers = int(self._config.num_hidden_layers)
        # before the engine takes the device's memory, and given back to it
        known = reader or TransformersBackend(folder, READ_TOKENS, dtype)
        reference = reference_of(known)
        if reader is None:
            known.close()
        self._llm = start_engine(folder, settings, dtype, threads, share=0.5 if reader is not None else 1.0)
        self._engine: Any = self._llm.llm_engine
        self._digests: dict[SteerRef, str] = {}
        self._tally = ThoughtTally()
        by = "position" if settings.steering == "one_vector" else "slots"
        try:
            report = self._engine.collective_rpc("steering_install", args=(settings.slots, by))[0]
            self._runner = report["runner"]
            if report["blocks"] != self.n_layers:
                raise InputError(
                    f"vLLM's model has {report['blocks']} blocks, the config {self.n_layers}: use transformers"
                )
            self.worst_error = check_steering(reference, self._logits_of)
        except BaseException as error:
            self.close()
            if isinstance(error, RuntimeError):
                raise InputError(
                    f"{folder}: vLLM cannot run this model ({error}); set backend: transformers"
                ) from error
            raise
        log.info("steering test passed, largest error %.2g of the change", self.worst_error)

    @property
    def context(self) -> int | None:
        """Longest prompt and output together."""
        limit = getattr(self._config, "max_position_embeddings", None)
        known = [int(n) for n in (limit, self.settings.context) if n]
        return min(known, default=None)

    @property
    def end_token(self) -> int | None:
        """A token that ends an answer; None if the model has none."""
        return min(self.ends, default=None)

    def info(self) -> dict[str, Any]:
        """Backend, versions, runner, dtype and device."""
        import vllm

        return {
            "backend": "vllm",
            "vllm": vllm.__version__,
            "torch": torch.__version__,
            "runner": self._runner,
            "steering": self.settings.steering,
            "dtype": self.dtype,
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
            "tensor_parallel": self.settings.tensor_parallel,
        }

    def close(self) -> None:
        """Say how many answers held thoughts; free the engine and the device's memory."""
        from vllm.distributed import cleanup_dist_env_and_memory

        self._tally.say()
        engine, self._engine, self._llm = self._engine, None, None
        engine.engine_core.shutdown()
        del engine
        cleanup_dist_env_and_memory()

    def generate(self, requests: Sequence[Request], progress: Report | None = None) -> Iterator[Result]:
        """Answer the requests, all in one queue; results come as they are ready.

        More distinct steerings than there are slots are served in rounds.

        Raises:
            InputError: a request that cannot be answered, checked before anything runs. The message names it.
        """
        self._check(requests)
        self._digest(requests)
        done, known = 0, {request.id: request for request in requests}
        for first, round_ in self._rounds(requests):
            for output in self._run(round_, self._load(round_, first), {}):
                done += 1
                tokens = list(output.outputs[0].token_ids)
                result = result_of(known[output.request_id], tokens, self.ends, self.tokenizer)
                self._tally.take(bool(result.thoughts), result.text)
                yield result
                if progress is not None:
                    progress(done, len(requests))

    def _check(self, requests: Sequence[Request]) -> None:
        check_requests(requests, self.context, self.n_layers, int(self._config.vocab_size))
        for request in requests:
            if request.pattern is not None and not self.guides:
                raise InputError(f"request {request.id!r} has a pattern, which needs tokens that spell a text")
            if request.steer is not None and request.steer.mode != "add":
                raise InputError(
                    f"request {request.id!r} steers in mode {request.steer.mode!r}, vLLM only in mode 'add': set the "
                    "stage's backend to transformers, or take the method out of steering.methods"
                )

    def _rounds(self, requests: Sequence[Request]) -> Iterator[tuple[int | None, list[Request]]]:
        """(index of the first steered token, requests) of the calls that it takes; by slots the index is None."""
        if self.settings.steering != "one_vector":
            yield from ((None, part) for part in rounds_of(requests, self.settings.slots))
            return
        groups: dict[tuple[SteerRef | None, int | None], list[Request]] = {}
        for request in requests:
            first = first_steered(request.steer.positions, len(request.prompt_token_ids)) if request.steer else None
            groups.setdefault((request.steer, first), []).append(request)
        yield from ((first, part) for (_, first), part in groups.items())

    def _load(self, requests: Sequence[Request], first: int | None) -> dict[SteerRef, int]:
        """Put the steerings of these requests into slots, counted from 1."""
        refs = dict.fromkeys(r.steer for r in requests if r.steer is not None)
        slots = {ref: slot for slot, ref in enumerate(refs, start=1)}
        entries = [
            (slot, self._digests[r], r.vectors_file, r.key, list(r.layers), r.strength, r.positions)
            for r, slot in slots.items()
        ]
        self._engine.collective_rpc("steering_load", args=(entries,))
        if self.settings.steering == "one_vector":
            self._engine.collective_rpc("steering_fix", args=(first,))
        return slots

    def _digest(self, requests: Sequence[Request]) -> None:
        """Read the vectors of these requests and keep what names them; those that do not fit are refused."""
        refs = dict.fromkeys(r.steer for r in requests if r.steer is not None)
        for file in dict.fromkeys(ref.vectors_file for ref in refs):
            own = [ref for ref in refs if ref.vectors_file == file]
            vectors = read_vectors(file, sorted({ref.key for ref in own}))
            for ref in own:
                shape, expected = tuple(vectors[ref.key].shape), (self.n_layers, int(self._config.hidden_size))
                if shape != expected:
                    raise InputError(f"{file}: {ref.key!r} is {shape}, the model needs {expected}")
                self._digests[ref] = steering_digest(ref, vectors[ref.key])

    def _run(self, requests: Sequence[Request], slots: dict[SteerRef, int], more: dict[str, Any]) -> Iterator[Any]:
        """Queue the requests and yield vLLM's outputs as they are finished."""
        from vllm import SamplingParams
        from vllm.inputs.engine import tokens_input
        from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

        from sociolect.lm.vllm_sampling import SAMPLING

        names = []
        try:
            for request in requests:
                steer = request.steer
                digest = self._digests[steer] if steer is not None else UNSTEERED
                positions = steer.positions if steer is not None else "all"
                drawn = [request.temperature, request.top_p, request.seed]
                params = SamplingParams(
                    # sampled tokens are drawn by SeededSampling, which leaves one to be picked
                    temperature=0.0,
                    max_tokens=request.max_new_tokens,
                    stop_token_ids=sorted(self.ends),
                    ignore_eos=True,
                    # its text is looked at for stop strings only; what is answered is cut by result_of
                    stop=list(request.stop),
                    detokenize=bool(request.stop),
                    output_kind=RequestOutputKind.FINAL_ONLY,
                    extra_args={
                        EXTRA: [slots[steer] if steer else 0, digest, positions],
                        **({SAMPLING: drawn} if request.temperature > 0 else {}),
                    },
                    structured_outputs=StructuredOutputsParams(regex=request.pattern) if request.pattern else None,
                    **more,
                )
                prompt = tokens_input(list(request.prompt_token_ids), cache_salt=self._salt(digest))
                names.append(self._engine.add_request(request.id, prompt, params))
            while self._engine.has_unfinished_requests():
                for output in self._engine.step():
                    if output.finished:
                        yield output
        finally:
            if self._engine is not None and self._engine.has_unfinished_requests():
                self._engine.abort_request(names, internal=True)

    def _salt(self, digest: str) -> str:
        """What keeps the cached prefixes of one steering from the others."""
        return digest

    def _logits_of(self, cases: Sequence[Case], tokens: Sequence[int]) -> list[list[float]]:
        """Logits of these tokens after each case's prompt and forced tokens, in the way that answers are made."""
        found: dict[str, list[float]] = {}
        requests = [case.request for case in cases]
        self._digest(requests)
        forced = {case.request.id: case.forced for case in cases}
        for first, round_ in self._rounds(requests):
            slots = self._load(round_, first)
            for force in dict.fromkeys(forced[r.id] for r in round_):
                part = [r for r in round_ if forced[r.id] == force]
                more: dict[str, Any] = {"logprob_token_ids": list(tokens)}
                if force is not None:
                    more["allowed_token_ids"] = [force]
                for output in self._run(part, slots, more):
                    last = output.outputs[0].logprobs[-1]
                    found[output.request_id] = [last[token].logprob for token in tokens]
        return [found[request.id] for request in requests]


def rounds_of(requests: Sequence[Request], n_slots: int) -> Iterator[list[Request]]:
    """The requests in rounds of at most `n_slots` distinct steerings each, in their order."""
    seen: set[SteerRef] = set()
    part: list[Request] = []
    for request in requests:
        if request.steer is not None and request.steer not in seen:
            if len(seen) == n_slots:
                yield part
                seen, part = set(), []
            seen.add(request.steer)
        part.append(request)
    if part:
        yield part


def _is_spelled(tokenizer: Any) -> bool:
    """Whether tokens hold their spaces, as byte-level and sentencepiece ones do and those of whole words do not."""
    return any(token[:1] in ("\u0120", "\u2581") for token in tokenizer.tokenize("The author uses words."))
