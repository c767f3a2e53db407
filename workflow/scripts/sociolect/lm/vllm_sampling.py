"""Sampling in vLLM by the draws of the reference: the k-th token of a request depends on its seed and k alone.

vLLM's own seeded sampling keeps a generator per request that moves with the passes: it draws otherwise than
transformers, and on CPUs it fails as soon as a prompt is read in chunks. Here a logits processor raises one token
above all others, the one that `sample_tokens` takes; vLLM then picks it greedily.
"""

from __future__ import annotations

from typing import Any

import torch
from vllm.v1.sample.logits_processor import LogitsProcessor
from vllm.v1.sample.logits_processor.builtin import process_dict_updates

from sociolect.lm.draws import draw_uniforms, sample_tokens

__all__ = ["SAMPLING", "SeededSampling"]

# key of SamplingParams.extra_args: [temperature, top_p, seed]
SAMPLING = "sociolect_sampling"
# temperature, top_p, uniforms, tokens so far (a list that grows)
Row = tuple[float, float, torch.Tensor, list[int]]


class SeededSampling(LogitsProcessor):
    """Raises the drawn token of each request that asks for sampling; others pass."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        self._rows: dict[int, Row] = {}

    def is_argmax_invariant(self) -> bool:
        """It decides the largest logit."""
        return False

    def update_state(self, batch_update: Any) -> None:
        """Follow the requests through the batch."""
        process_dict_updates(self._rows, batch_update, _row_of)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Make the drawn tokens the largest; logits [requests, vocabulary] are changed in place."""
        if not self._rows:
            return logits
        index = torch.tensor(sorted(self._rows), device=logits.device)
        # a copy of that many logits takes as long as the drawing
        asked = logits if len(index) == len(logits) else logits[index]
        temperature, top_p, draws, said = zip(*(self._rows[place] for place in sorted(self._rows)), strict=True)
        # a pass that was scheduled ahead may ask for one more than will be kept
        uniforms = torch.stack([own[min(len(so_far), len(own) - 1)] for own, so_far in zip(draws, said, strict=True)])
        drawn = sample_tokens(
            asked,
            torch.tensor(temperature, device=logits.device),
            torch.tensor(top_p, device=logits.device),
            uniforms.to(logits.device),
        )
        # what is picked is the largest: the others need no change
        logits[index, drawn] = float("inf")
        return logits


def _row_of(params: Any, prompt: list[int] | None, said: list[int]) -> Row | None:
    asked = (params.extra_args or {}).get(SAMPLING)
    if asked is None:
        return None
    temperature, top_p, seed = asked
    return float(temperature), float(top_p), draw_uniforms([int(seed)], params.max_tokens)[0], said
