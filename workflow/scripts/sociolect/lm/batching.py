"""Right-padded batches of token sequences under a token budget, for passes that do not generate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

__all__ = ["padded_batches"]


def padded_batches(
    sequences: Sequence[Sequence[int]], batch_tokens: int, device: torch.device, pad: int = 0
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Batches of similar length, longest first, at most `batch_tokens` padded tokens (one sequence at least).

    Yields:
        indices into `sequences`; token ids and attention mask, int64 [rows, longest] on the device.
    """
    order = sorted(range(len(sequences)), key=lambda i: (-len(sequences[i]), i))
    start = 0
    while start < len(order):
        longest = len(sequences[order[start]])
        rows = order[start : start + max(1, batch_tokens // max(1, longest))]
        ids = torch.full((len(rows), longest), pad, dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, index in enumerate(rows):
            n = len(sequences[index])
            ids[row, :n] = torch.tensor(sequences[index], dtype=torch.int64)
            mask[row, :n] = 1
        yield rows, ids.to(device), mask.to(device)
        start += len(rows)
