"""Sampling by inverse CDF from uniforms that each request draws for itself: no draw depends on the batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

__all__ = ["draw_uniforms", "sample_tokens"]


def draw_uniforms(seeds: Sequence[int], n: int) -> torch.Tensor:
    """n uniforms in [0, 1) per seed, float64 [len(seeds), n]. The first k are the same for every n >= k."""
    # numpy: the first k draws do not depend on n, unlike torch's, which fills large tensors in another order
    return torch.from_numpy(np.stack([np.random.default_rng(seed).random(n) for seed in seeds]))


def sample_tokens(
    logits: torch.Tensor, temperature: torch.Tensor, top_p: torch.Tensor, uniforms: torch.Tensor
) -> torch.Tensor:
    """One token per row.

    Args:
        logits: [rows, vocabulary].
        temperature: [rows]; rows with 0 take the largest logit.
        top_p: [rows]; the smallest set of most probable tokens that reaches it is kept (Holtzman et al. 2020).
        uniforms: [rows] in [0, 1).

    Returns:
        token ids, int64 [rows].
    """
    greedy = logits.argmax(dim=-1)
    drawn = temperature > 0
    if not bool(drawn.any()):
        return greedy
    scale = torch.where(drawn, temperature, torch.ones_like(temperature)).unsqueeze(1)
    probabilities = torch.softmax(logits.float() / scale, dim=-1)
    if bool((top_p < 1).any()):
        ranked, order = probabilities.sort(dim=-1, descending=True, stable=True)
        before = ranked.cumsum(dim=-1) - ranked
        kept = ranked.masked_fill(before >= top_p.unsqueeze(1), 0.0)
        # back in the order of the vocabulary, so that two tokens of nearly equal probability may swap ranks
        probabilities = torch.zeros_like(probabilities).scatter_(1, order, kept)
    cdf = probabilities.double().cumsum(dim=-1)
    target = uniforms.unsqueeze(1) * cdf[:, -1:]
    # right: a token of probability 0 is never reached
    tokens = torch.searchsorted(cdf, target, right=True).squeeze(1)
    last = (cdf < cdf[:, -1:]).sum(dim=-1)
    return torch.where(drawn, torch.minimum(tokens, last), greedy)
