"""Fluency of a text: perplexity under the unsteered model, and repetition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.lm.batching import padded_batches
from sociolect.lm.caches import new_cache, pads, read_on, select_rows
from sociolect.lm.output_layer import check_output_layer, decoder_of, logits_of, vocabulary_of
from sociolect.lm.wordings import Wording

__all__ = ["log_perplexities", "repetition"]

_LOGITS = 1 << 25  # most logits that are held at once


@torch.inference_mode()
def log_perplexities(
    model: Any,
    wording: Wording,
    prompts: Sequence[str],
    texts: Sequence[str],
    batch_tokens: int,
    progress: Report | None = None,
) -> np.ndarray:
    """Mean of -log p(token | prompt, tokens before) over the tokens of each text, in nats, float64 [n].

    A text stands after its prompt as the wording has it, whoever wrote it. The model is not steered. The end token
    does not count; a text without tokens gets NaN. What lies beyond the model's context is not counted.

    Raises:
        InputError: a prompt alone fills the context, or the model's output layer is not known.
    """
    found = np.full(len(texts), np.nan)
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 1 << 30
    pairs = wording.continuations(prompts, texts)
    kept = [i for i, (_, body) in enumerate(pairs) if body]
    starts = {i: len(pairs[i][0]) for i in kept}
    for i in kept:
        if starts[i] >= limit:
            raise InputError(f"the prompt {prompts[i][:60]!r} fills the model's context of {limit} tokens")
    heads = {i: tuple(pairs[i][0]) for i in kept}
    bodies = {i: pairs[i][1][: limit - starts[i]] for i in kept}
    check_output_layer(model)
    counts = Counter(heads.values())
    going_on = pads(model)
    alone = [i for i in kept if counts[heads[i]] == 1 or not going_on]
    shared = [i for i in kept if counts[heads[i]] > 1 and going_on]
    done = 0
    for rows, losses, counted in chain(
        _read_whole(model, alone, heads, bodies, batch_tokens), _read_after(model, shared, heads, bodies, batch_tokens)
    ):
        found[rows] = (losses.sum(dim=1) / counted.sum(dim=1)).cpu().numpy()
        done += len(rows)
        if progress is not None:
            progress(done, len(kept))
    if not np.isfinite(found[kept]).all():
        raise InputError("the language model gives probabilities that are not finite; use models.dtype: float32")
    return found


# indices of texts; losses float64 and which of them count, bool, both [rows, longest]
_Read = tuple[list[int], torch.Tensor, torch.Tensor]
_Ids = Mapping[int, Sequence[int]]


def _read_whole(model: Any, kept: Sequence[int], heads: _Ids, bodies: _Ids, batch_tokens: int) -> Iterator[_Read]:
    """Each prompt with its one text."""
    device = next(model.parameters()).device
    for rows, ids, mask in padded_batches([[*heads[i], *bodies[i]] for i in kept], batch_tokens, device):
        hidden = decoder_of(model)(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[:, :-1]
        first = torch.tensor([len(heads[kept[row]]) - 1 for row in rows], device=device).unsqueeze(1)
        counted = (torch.arange(hidden.shape[1], device=device) >= first) & mask[:, 1:].bool()
        yield [kept[row] for row in rows], _losses_at(model, hidden, ids[:, 1:], counted), counted


def _read_after(model: Any, kept: Sequence[int], heads: _Ids, bodies: _Ids, batch_tokens: int) -> Iterator[_Read]:
    """Each prompt once, and its texts after what the model keeps of it."""
    device = next(model.parameters()).device
    for rows in _sharing(kept, heads, bodies, batch_tokens):
        place = {head: n for n, head in enumerate(dict.fromkeys(heads[i] for i in rows))}
        ids, mask = _padded(list(place), left=True, device=device)
        cache = new_cache(model)
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        read = read_on(model, ids, mask, positions, cache)
        of_row = torch.tensor([place[heads[i]] for i in rows], device=device)
        select_rows(cache, of_row)
        ids, own = _padded([bodies[i] for i in rows], left=False, device=device)
        after = positions[of_row, -1:] + own.cumsum(dim=1)
        hidden = read_on(model, ids, torch.cat([mask[of_row], own], dim=1), after, cache)
        states = torch.cat([read[of_row, -1:], hidden[:, :-1]], dim=1)
        yield rows, _losses_at(model, states, ids, own.bool()), own.bool()


def _sharing(kept: Sequence[int], heads: _Ids, bodies: _Ids, batch_tokens: int) -> Iterator[list[int]]:
    """Batches of texts, those of a prompt side by side, at most `batch_tokens` padded tokens (one text at least)."""
    most: dict[Sequence[int], int] = {}
    for i in kept:
        most[heads[i]] = max(most.get(heads[i], 0), len(bodies[i]))
    order = sorted(kept, key=lambda i: (-most[heads[i]], heads[i], -len(bodies[i]), i))
    rows: list[int] = []
    for i in order:
        longer = [*rows, i]
        size = max(len(heads[j]) for j in longer) + max(len(bodies[j]) for j in longer)
        if rows and len(longer) * size > batch_tokens:
            yield rows
            longer = [i]
        rows = longer
    if rows:
        yield rows


def _padded(sequences: Sequence[Sequence[int]], left: bool, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask, int64 [rows, longest]."""
    longest = max(len(sequence) for sequence in sequences)
    ids = torch.zeros((len(sequences), longest), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        at = slice(longest - len(sequence), longest) if left else slice(0, len(sequence))
        ids[row, at], mask[row, at] = torch.tensor(sequence, dtype=torch.int64), 1
    return ids.to(device), mask.to(device)


def _losses_at(model: Any, states: torch.Tensor, tokens: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """-log p of the tokens that count, 0 elsewhere, float64 [rows, longest]."""
    loss = torch.zeros(counted.shape, dtype=torch.float64, device=states.device)
    loss[counted] = _losses(model, states[counted], tokens[counted])
    return loss


def _losses(model: Any, hidden: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """-log p of each token after its last hidden state, float64 [n]; the logits are made in pieces."""
    size = max(1, _LOGITS // vocabulary_of(model))
    parts = [
        torch.nn.functional.cross_entropy(logits_of(model, states).float(), targets, reduction="none").double()
        for states, targets in zip(hidden.split(size), tokens.split(size), strict=True)
    ]
    return torch.cat(parts)


def repetition(text: str, n: int = 3) -> float:
    """Share of a text's word n-grams that repeat an earlier one; 0 for fewer than n words."""
    words = text.lower().split()
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0
