"""Fluency of a text: perplexity under the unsteered model, and repetition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.lm.batching import padded_batches
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
    sequences = [[*pairs[i][0], *pairs[i][1]][:limit] for i in kept]
    device = next(model.parameters()).device
    check_output_layer(model)
    done = 0
    for rows, ids, mask in padded_batches(sequences, batch_tokens, device):
        hidden = decoder_of(model)(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state[:, :-1]
        first = torch.tensor([starts[kept[row]] - 1 for row in rows], device=device).unsqueeze(1)
        counted = (torch.arange(hidden.shape[1], device=device) >= first) & mask[:, 1:].bool()
        loss = torch.zeros(counted.shape, dtype=torch.float64, device=device)
        loss[counted] = _losses(model, hidden[counted], ids[:, 1:][counted])
        found[[kept[row] for row in rows]] = (loss.sum(dim=1) / counted.sum(dim=1)).cpu().numpy()
        done += len(rows)
        if progress is not None:
            progress(done, len(kept))
    if not np.isfinite(found[kept]).all():
        raise InputError("the language model gives probabilities that are not finite; use models.dtype: float32")
    return found


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
