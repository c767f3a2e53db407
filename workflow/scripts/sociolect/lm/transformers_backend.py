"""The reference backend: transformers, one forward pass per token, a vector of its own for every row.

A prompt that several requests of a batch share is read once: the conditions and samples of a question differ in what
steers the answer, and in their draws.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.lm.caches import check_cache, new_cache, pads, read_on, select_rows
from sociolect.lm.draws import draw_uniforms, sample_tokens
from sociolect.lm.hooks import blocks_of, check_blocks, width_of
from sociolect.lm.output_layer import check_output_layer, logits_of
from sociolect.lm.packing import pack_linears
from sociolect.lm.requests import Request, Result, SteerRef, check_requests, floor_key, read_vectors, result_of
from sociolect.lm.row_steering import RowSteering
from sociolect.lm.stopping import StopWatch
from sociolect.lm.thoughts import ThoughtTally
from sociolect.models.loading import end_tokens, load_causal_lm, load_tokenizer

__all__ = ["TransformersBackend", "batches_of"]

Batch = Sequence[Request]


class TransformersBackend:
    """Answers requests with transformers, in batches of similar length under a token budget.

    In float32 an answer depends on its request alone, not on the batch (up to ties within rounding error).

    Args:
        model_folder: local folder of the language model.
        batch_tokens: most tokens of a batch, prompts padded and outputs together; one request at least.
        dtype: float32 or bfloat16.
        device: cpu, cuda or auto.
        model: takes the place of the folder's own, such as one whose weights were trained further.

    Attributes:
        tokenizer: of the language model.
        one_queue: a piece of the requests at a time, so that its batches, and in bfloat16 its answers, do not depend
            on what else there is to do.
        guides: it holds no text to a pattern.
        ends: tokens that end an answer.
    """

    one_queue, guides = False, False

    def __init__(
        self,
        model_folder: Path | str,
        batch_tokens: int,
        dtype: str = "float32",
        device: str = "auto",
        model: Any = None,
    ) -> None:
        self.tokenizer: Any = load_tokenizer(Path(model_folder))
        self.model: Any = load_causal_lm(Path(model_folder), dtype, device) if model is None else model
        check_output_layer(self.model)
        check_blocks(self.model)
        pack_linears(self.model)
        check_cache(self.model)
        self.batch_tokens, self.dtype = batch_tokens, dtype
        self.n_layers = len(blocks_of(self.model))
        self.ends = end_tokens(Path(model_folder), self.tokenizer)
        self._tally = ThoughtTally()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def context(self) -> int | None:
        """Longest prompt and output together; None where the model states none."""
        limit = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return int(limit) if limit else None

    @property
    def end_token(self) -> int | None:
        """A token that ends an answer; None if the model has none."""
        return min(self.ends, default=None)

    def info(self) -> dict[str, Any]:
        """Backend, versions, dtype and device."""
        return {
            "backend": "transformers",
            "transformers": transformers.__version__,
            "torch": torch.__version__,
            "dtype": self.dtype,
            "device": torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type,
        }

    def close(self) -> None:
        """Say how many answers held thoughts; free the model and the device's memory."""
        self._tally.say()
        self.model = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def generate(self, requests: Sequence[Request], progress: Report | None = None) -> Iterator[Result]:
        """Answer the requests, longest batch first; the order given does not matter.

        A batch that does not fit into memory is halved and tried again, down to one request.

        Raises:
            InputError: a request that cannot be answered (checked before anything runs), or one that does not
                fit into memory alone. The message names it.
        """
        vocabulary = int(self.model.get_input_embeddings().weight.shape[0])
        check_requests(requests, self.context, self.n_layers, vocabulary)
        guided = next((r.id for r in requests if r.pattern is not None), None)
        if guided is not None:
            raise InputError(f"request {guided!r} has a pattern, which only backend: vllm can hold a text to")
        tables = self._tables(requests)
        done = 0
        for batch in batches_of(requests, self.batch_tokens, pads(self.model)):
            for results in self._halving(batch, tables):
                done += len(results)
                for result in results:
                    self._tally.take(bool(result.thoughts), result.text)
                if progress is not None:
                    progress(done, len(requests))
                yield from results

    def _halving(self, batch: Batch, tables: dict[tuple[str, str], torch.Tensor]) -> Iterator[list[Result]]:
        try:
            results: list[Result] | None = self._answer(batch, tables)
        except torch.OutOfMemoryError:
            results = None
        if results is not None:
            yield results
            return
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(batch) == 1:
            raise InputError(
                f"request {batch[0].id!r} ({len(batch[0].prompt_token_ids)} prompt tokens) does not fit into the "
                "memory of the device alone; lower generation.max_new_tokens or max_question_chars, or use bfloat16"
            )
        middle = len(batch) // 2
        yield from self._halving(batch[:middle], tables)
        yield from self._halving(batch[middle:], tables)

    def _tables(self, requests: Sequence[Request]) -> dict[tuple[str, str], torch.Tensor]:
        """(file, key) -> tensor, for the vectors of all requests and the floors of those that need them."""
        # per file, the width that each key must have
        keys: dict[str, dict[str, int]] = {}
        for ref in dict.fromkeys(request.steer for request in requests if request.steer is not None):
            widths = keys.setdefault(ref.vectors_file, {})
            widths[ref.key] = width_of(self.model)
            if ref.mode == "adaptive":
                widths[floor_key(ref.key)] = 1
        tables: dict[tuple[str, str], torch.Tensor] = {}
        for file, widths in sorted(keys.items()):
            for key, value in read_vectors(file, sorted(widths)).items():
                expected = (self.n_layers, widths[key])
                if tuple(value.shape) != expected:
                    raise InputError(f"{file}: {key!r} is {tuple(value.shape)}, the model needs {expected}")
                tables[file, key] = value
        return tables

    @torch.inference_mode()
    def _answer(self, batch: Batch, tables: dict[tuple[str, str], torch.Tensor]) -> list[Result]:
        state = _State.of(batch, self.device, self._pad())
        steering = RowSteering.of([request.steer for request in batch], tables, self.device)
        watch = StopWatch([request.stop for request in batch], self.tokenizer)
        with steering.hooks(self.model) if steering is not None else nullcontext():
            self._run(state, steering, watch)
        return self._results(batch, state.tokens.tolist(), state.lengths.tolist())

    def _run(self, state: _State, steering: RowSteering | None, watch: StopWatch) -> None:
        """Fill state.tokens: the distinct prompts first, then a token per pass for the rows that have not ended."""
        cache = new_cache(self.model)
        ends = torch.tensor(sorted(self.ends), dtype=torch.int64, device=self.device)
        mask = state.mask
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        if steering is not None:
            steering.at_prompt(mask, state.first)
        hidden = read_on(self.model, state.prompt, mask, positions, cache)[:, -1]
        # from here on a row per request
        select_rows(cache, state.of_row)
        hidden, mask, positions = hidden[state.of_row], mask[state.of_row], positions[state.of_row, -1:]
        for step in range(state.most):
            logits = logits_of(self.model, hidden)
            tokens = sample_tokens(logits, state.temperature, state.top_p, state.uniforms[:, step])
            rows = (~state.take(step, tokens, ends, watch)).nonzero().squeeze(1)
            if len(rows) == 0:
                return
            positions = positions + 1
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
            # rows that have ended leave once they are an eighth: each removal copies the cache
            if len(rows) <= len(tokens) * 7 // 8:
                state.keep(rows)
                select_rows(cache, rows)
                tokens, positions, mask = tokens[rows], positions[rows], mask[rows]
                if steering is not None:
                    steering.keep(rows)
            if steering is not None:
                steering.at_generated()
            hidden = read_on(self.model, tokens.unsqueeze(1), mask, positions, cache)[:, -1]

    def _results(self, batch: Batch, tokens: list[list[int]], lengths: list[int]) -> list[Result]:
        results = []
        for request, row, length in zip(batch, tokens, lengths, strict=True):
            results.append(result_of(request, row[: min(length, request.max_new_tokens)], self.ends, self.tokenizer))
        return results

    def _pad(self) -> int:
        known = (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id, 0)
        return int(next(token for token in known if token is not None))


@dataclass
class _State:
    """A batch on the device. `tokens` and `lengths` keep all rows; the others only those still running.

    Attributes:
        prompt: token ids [distinct prompts, longest], padded on the left; two that are steered otherwise are distinct.
        mask: of its tokens.
        first: a row that has each prompt.
        of_row: the prompt of each row.
    """

    prompt: torch.Tensor
    mask: torch.Tensor
    first: torch.Tensor
    of_row: torch.Tensor
    temperature: torch.Tensor
    top_p: torch.Tensor
    uniforms: torch.Tensor
    limits: torch.Tensor
    running: torch.Tensor
    ended: torch.Tensor
    tokens: torch.Tensor
    lengths: torch.Tensor
    most: int

    @classmethod
    def of(cls, batch: Batch, device: torch.device, pad: int) -> _State:
        longest = max(len(r.prompt_token_ids) for r in batch)
        most = max(r.max_new_tokens for r in batch)
        first: dict[Any, int] = {}
        for row, request in enumerate(batch):
            first.setdefault(_prompt_key(request), row)
        place = {key: number for number, key in enumerate(first)}
        prompt = torch.full((len(first), longest), pad, dtype=torch.int64)
        mask = torch.zeros_like(prompt)
        for number, row in enumerate(first.values()):
            ids = batch[row].prompt_token_ids
            prompt[number, longest - len(ids) :] = torch.tensor(ids)
            mask[number, longest - len(ids) :] = 1
        return cls(
            prompt=prompt.to(device),
            mask=mask.to(device),
            first=torch.tensor(list(first.values()), device=device),
            of_row=torch.tensor([place[_prompt_key(r)] for r in batch], device=device),
            temperature=torch.tensor([r.temperature for r in batch], device=device),
            top_p=torch.tensor([r.top_p for r in batch], device=device),
            uniforms=draw_uniforms([r.seed for r in batch], most).to(device),
            limits=torch.tensor([r.max_new_tokens for r in batch], device=device),
            running=torch.arange(len(batch), device=device),
            ended=torch.zeros(len(batch), dtype=torch.bool, device=device),
            tokens=torch.zeros(len(batch), most, dtype=torch.int64, device=device),
            lengths=torch.zeros(len(batch), dtype=torch.int64, device=device),
            most=most,
        )

    def take(self, step: int, tokens: torch.Tensor, ends: torch.Tensor, watch: StopWatch) -> torch.Tensor:
        """Store the tokens of a step; which of the running rows have ended, bool."""
        self.tokens[self.running, step] = tokens
        self.lengths[self.running] += (~self.ended).to(torch.int64)
        self.ended |= torch.isin(tokens, ends) | (self.limits <= step + 1)
        if watch.needed:
            self.ended |= torch.tensor(watch.take(self.running.tolist(), tokens.tolist()), device=self.ended.device)
        return self.ended

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these of the running rows."""
        for name in ("temperature", "top_p", "uniforms", "limits", "running", "ended"):
            setattr(self, name, getattr(self, name)[rows])


def _prompt_key(request: Request) -> tuple[tuple[int, ...], SteerRef | None]:
    """What the states of a request's prompt depend on: its tokens, and what steers them."""
    steer = request.steer
    return request.prompt_token_ids, steer if steer is not None and steer.positions != "generated" else None


def batches_of(requests: Sequence[Request], batch_tokens: int, padded: bool = True) -> list[list[Request]]:
    """Batches of similar length, longest first, each within the budget of padded tokens (one request at least).

    A function of the set of requests only.

    Args:
        requests: to answer.
        batch_tokens: the budget.
        padded: whether prompts of other lengths may be in a batch.
    """

    def order(request: Request) -> tuple[Any, ...]:
        prompt, most = request.prompt_token_ids, -request.max_new_tokens
        # equal prompts side by side: a batch reads each once
        return (most, -len(prompt), prompt, request.id) if padded else (-len(prompt), most, prompt, request.id)

    ordered = sorted(requests, key=order)
    batches: list[list[Request]] = []
    longest = 0
    for request in ordered:
        longest = max(longest, len(request.prompt_token_ids))
        fits = padded or longest == len(request.prompt_token_ids)
        # the first request of a batch has the most new tokens
        if batches and fits and (len(batches[-1]) + 1) * (longest + batches[-1][0].max_new_tokens) <= batch_tokens:
            batches[-1].append(request)
        else:
            batches.append([request])
            longest = len(request.prompt_token_ids)
    return batches
