"""What SFAM's training and its student's share: AdamW, the learning rate over the steps, one step down."""

from __future__ import annotations

from typing import Any

import torch

__all__ = ["adamw", "descend", "warmup_linear"]

CLIP_NORM = 1.0


def adamw(model: Any, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW; biases, norms and embeddings of positions are not decayed."""
    trained = [p for p in model.parameters() if p.requires_grad]
    decayed, plain = ([p for p in trained if (p.ndim > 1) == wide] for wide in (True, False))
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate)


def warmup_linear(step: int, max_steps: int, warmup_share: float) -> float:
    """Factor of the learning rate: up to 1 over the warm-up, then down to 0 at max_steps."""
    warmup = max(1, round(warmup_share * max_steps))
    if step < warmup:
        return (step + 1) / warmup
    return max(0.0, (max_steps - step) / max(1, max_steps - warmup))


def descend(loss: torch.Tensor, model: Any, optimizer: torch.optim.Optimizer) -> float:
    """One step along the clipped gradient; the loss as a number."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
    optimizer.step()
    return float(loss.detach())
