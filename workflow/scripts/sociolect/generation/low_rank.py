"""A low-rank adapter of the language model per group (LoRA: Hu et al. 2022, by way of peft), merged to answer with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.settings.adapters import AdapterSettings

__all__ = ["adapted", "training_pairs"]

_IGNORED = -100
Pair = tuple[Sequence[int], Sequence[int]]


def training_pairs(pairs: Sequence[Pair], end: int | None, max_tokens: int) -> list[Pair]:
    """Prompts and answers as they are trained on: each answer ends, and both together are not too long.

    Args:
        pairs: token ids of prompt and answer.
        end: token that ends an answer; None for none.
        max_tokens: of both; an answer that leaves no room for itself is left out.
    """
    found: list[Pair] = []
    for prompt, answer in pairs:
        body = [*answer, *([] if end is None else [end])][: max(0, max_tokens - len(prompt))]
        if body:
            found.append((prompt, body))
    return found


def adapted(
    model: Any, pairs: Sequence[Pair], settings: AdapterSettings, seed: int, progress: Report | None = None
) -> Any:
    """The model with an adapter trained on these answers and merged into its weights.

    Args:
        model: a causal language model; it is changed.
        pairs: token ids of prompt and answer; the loss is that of the answers.
        settings: of the training.
        seed: of the adapter's first weights and of the batches.
        progress: called with steps done and their number.

    Raises:
        InputError: there is nothing to train on, or the loss is not finite.
    """
    if not pairs:
        raise InputError("a group has no train answers to train an adapter on; raise adapters.max_tokens")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = LoraConfig(r=settings.rank, lora_alpha=2 * settings.rank, target_modules="all-linear")
        trained = get_peft_model(model, config)
        order = torch.Generator().manual_seed(seed)
        weights = [p for p in trained.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=settings.learning_rate)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, settings.steps)
        device = weights[0].device
        for step in range(settings.steps):
            drawn = torch.randint(len(pairs), (settings.batch_size,), generator=order).tolist()
            ids, mask, labels = (t.to(device) for t in _batch([pairs[i] for i in drawn]))
            logits = trained(input_ids=ids, attention_mask=mask).logits
            loss = cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=_IGNORED)
            if not torch.isfinite(loss):
                raise InputError("the adapter's loss is not finite; lower adapters.learning_rate")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if progress is not None:
                progress(step + 1, settings.steps)
    return trained.merge_and_unload().eval().requires_grad_(False)


def _batch(pairs: Sequence[Pair]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and labels [n, longest], padded on the right."""
    longest = max(len(prompt) + len(answer) for prompt, answer in pairs)
    ids = torch.zeros(len(pairs), longest, dtype=torch.int64)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, _IGNORED)
    for row, (prompt, answer) in enumerate(pairs):
        tokens = torch.tensor([*prompt, *answer])
        ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
        labels[row, len(prompt) : len(tokens)] = tokens[len(prompt) :]
    return ids, mask, labels
