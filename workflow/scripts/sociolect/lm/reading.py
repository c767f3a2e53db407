"""Activations of token sequences, read at the output of every block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.lm.batching import padded_batches
from sociolect.lm.hooks import blocks_of, read_blocks, width_of
from sociolect.lm.output_layer import decoder_of

__all__ = ["Reading", "read_mean", "residual_norms"]


@dataclass(frozen=True)
class Reading:
    """A token sequence and the positions in it over which activations are averaged."""

    ids: tuple[int, ...]
    positions: tuple[int, ...]


@torch.inference_mode()
def read_mean(model: Any, readings: Sequence[Reading], batch_tokens: int, progress: Report | None = None) -> np.ndarray:
    """Mean activation over each reading's positions at the output of every block, float64 [n, layers, d]."""
    layers = range(len(blocks_of(model)))
    values = np.empty((len(readings), len(layers), width_of(model)))
    device = next(model.parameters()).device
    done = 0
    for rows, ids, mask in padded_batches([r.ids for r in readings], batch_tokens, device):
        weights = torch.zeros(ids.shape, device=device)
        for row, index in enumerate(rows):
            positions = readings[index].positions
            weights[row, list(positions)] = 1.0 / len(positions)

        def mean(hidden: torch.Tensor, weights: torch.Tensor = weights) -> torch.Tensor:
            return torch.einsum("btd,bt->bd", hidden.float(), weights)

        with read_blocks(model, layers, mean) as seen:
            decoder_of(model)(input_ids=ids, attention_mask=mask, use_cache=False)
        for layer in layers:
            values[rows, layer] = seen[layer].double().cpu().numpy()
        done += len(rows)
        if progress is not None:
            progress(done, len(readings))
    return values


@torch.inference_mode()
def residual_norms(
    model: Any, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], batch_tokens: int
) -> list[float]:
    """Median norm r[l] of the residual stream at each block's output, over the tokens of the answers.

    Args:
        model: unsteered.
        prompts: token ids.
        answers: token ids that follow them; no BOS among them.
        batch_tokens: token budget of a batch.

    Raises:
        InputError: all answers are empty.
    """
    kept = [i for i, answer in enumerate(answers) if len(answer)]
    if not kept:
        raise InputError(
            "the language model answers nothing to all val questions; train or choose another model, or raise "
            "generation.max_new_tokens for one that thinks first"
        )
    layers = range(len(blocks_of(model)))
    norms: dict[int, list[np.ndarray]] = {layer: [] for layer in layers}
    device = next(model.parameters()).device
    sequences = [[*prompts[i], *answers[i]] for i in kept]
    for rows, ids, mask in padded_batches(sequences, batch_tokens, device):
        starts = torch.tensor([len(prompts[kept[row]]) for row in rows], device=device).unsqueeze(1)
        counted = mask.bool() & (torch.arange(ids.shape[1], device=device) >= starts)
        with read_blocks(model, layers, lambda hidden: hidden.float().norm(dim=-1)) as seen:
            decoder_of(model)(input_ids=ids, attention_mask=mask, use_cache=False)
        for layer in layers:
            norms[layer].append(seen[layer][counted].double().cpu().numpy())
    return [float(np.median(np.concatenate(norms[layer]))) for layer in layers]
