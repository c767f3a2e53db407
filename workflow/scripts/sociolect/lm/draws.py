"""Sampling by inverse CDF from uniforms that each request draws for itself: no draw depends on the batch.

Written for vocabularies of hundreds of thousands of tokens: nothing is sorted that is not in question, and no sum is
kept of every single token.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

__all__ = ["draw_uniforms", "sample_tokens"]

# tokens whose sum is kept: a draw first finds its block, then the token in it
BLOCK = 64
# weights that are held at once on a CPU: what fits into its caches, and no new pages for every step
CHUNK = 1 << 21
# a nucleus is looked for among the tokens of at least this probability, then among all
FLOORS = (1e-5, 0.0)


def draw_uniforms(seeds: Sequence[int], n: int) -> torch.Tensor:
    """n uniforms in [0, 1) per seed, float64 [len(seeds), n]. The first k are the same for every n >= k."""
    # numpy: the first k draws do not depend on n, unlike torch's, which fills large tensors in another order
    return torch.from_numpy(np.stack([np.random.default_rng(seed).random(n) for seed in seeds]))


def sample_tokens(
    logits: torch.Tensor, temperature: torch.Tensor, top_p: torch.Tensor, uniforms: torch.Tensor
) -> torch.Tensor:
    """One token per row.

    The vocabulary keeps its order in the CDF, so that two tokens of nearly equal probability may swap ranks.

    Args:
        logits: [rows, vocabulary].
        temperature: [rows]; rows with 0 take the largest logit.
        top_p: [rows]; the smallest set of most probable tokens that reaches it is kept (Holtzman et al. 2020); of
            equally probable ones at its edge those that come first in the vocabulary.
        uniforms: [rows] in [0, 1).

    Returns:
        token ids, int64 [rows].
    """
    drawn = temperature > 0
    tokens = logits.argmax(dim=-1) if not bool(drawn.all()) else torch.zeros_like(drawn, dtype=torch.int64)
    rows = drawn.nonzero().squeeze(1)
    at_once = max(1, CHUNK // logits.shape[1]) if logits.device.type == "cpu" else max(1, len(rows))
    for part in rows.split(at_once):
        tokens[part] = _draw(logits[part], temperature[part].float(), top_p[part].double(), uniforms[part])
    return tokens


def _draw(logits: torch.Tensor, temperature: torch.Tensor, top_p: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """Draw a token for each row, whatever its temperature above 0."""
    # probabilities but for their sum: the largest is 1
    weights = logits.float() - logits.amax(dim=-1, keepdim=True).float()
    weights.div_(temperature.unsqueeze(1)).exp_()
    sums = _block_sums(weights)
    cdf = sums.cumsum(dim=-1)
    tokens = _from_all(weights, cdf, uniforms)
    cut = (top_p < 1).nonzero().squeeze(1)
    for floor in FLOORS:
        if len(cut) == 0:
            break
        total = cdf[cut, -1]
        own = weights if len(cut) == len(weights) else weights[cut]
        found, whole = _from_nucleus(own, total * floor, total * top_p[cut], uniforms[cut])
        # with all tokens looked at, what rounding keeps below top_p is whole, too
        whole |= floor == 0
        tokens[cut[whole]] = found[whole]
        cut = cut[~whole]
    return tokens


def _block_sums(weights: torch.Tensor) -> torch.Tensor:
    """Sums of BLOCK weights each, the last of what is left, float64 [rows, blocks]."""
    whole = weights.shape[1] // BLOCK * BLOCK
    sums = weights[:, :whole].unflatten(1, (-1, BLOCK)).sum(dim=-1)
    if whole < weights.shape[1]:
        sums = torch.cat([sums, weights[:, whole:].sum(dim=-1, keepdim=True)], dim=1)
    return sums.double()


def _from_all(weights: torch.Tensor, cdf: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """The token at whose place in the CDF each uniform falls; `cdf` is that of the blocks."""
    target = uniforms.unsqueeze(1) * cdf[:, -1:]
    block = _place(cdf, target)
    before = torch.where(block > 0, cdf.gather(1, (block - 1).clamp(min=0)), 0.0)
    places = block * BLOCK + torch.arange(BLOCK, device=weights.device)
    inside = weights.gather(1, places.clamp(max=weights.shape[1] - 1))
    inside = inside.masked_fill(places >= weights.shape[1], 0.0).double().cumsum(dim=-1)
    return (block * BLOCK + _place(inside, target - before)).squeeze(1)


def _from_nucleus(
    weights: torch.Tensor, floor: torch.Tensor, goal: torch.Tensor, uniforms: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same among the nucleus, looked for among the weights from `floor` on.

    Returns:
        tokens, int64 [rows]; and for which rows these weights reach the goal, bool [rows].
    """
    row, place = (weights >= floor.unsqueeze(1)).nonzero(as_tuple=True)
    counts = torch.bincount(row, minlength=len(weights))
    column = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
    # none where all are less probable than that
    shape = (len(weights), max(1, int(counts.max())))
    found = weights.new_zeros(shape)
    found[row, column] = weights[row, place]
    places = torch.zeros(shape, dtype=torch.int64, device=row.device)
    places[row, column] = place
    # stable: of equal weights the first of the vocabulary come first
    ranked, order = found.sort(dim=-1, descending=True, stable=True)
    sums = ranked.double().cumsum(dim=-1)
    outside = sums - ranked >= goal.unsqueeze(1)
    # back in the order of the vocabulary
    kept = found.masked_fill(torch.zeros_like(outside).scatter_(1, order, outside), 0.0)
    cdf = kept.double().cumsum(dim=-1)
    tokens = places.gather(1, _place(cdf, uniforms.unsqueeze(1) * cdf[:, -1:])).squeeze(1)
    return tokens, sums[:, -1] >= goal


def _place(cdf: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Where the target falls, [rows, 1]; never a place of weight 0, before the target or at the end."""
    # right: a token of probability 0 is never reached
    found = torch.searchsorted(cdf, target, right=True)
    last = (cdf < cdf[:, -1:]).sum(dim=-1, keepdim=True)
    return torch.minimum(found, last)
