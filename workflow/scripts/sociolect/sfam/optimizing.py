"""What training SFAM and its student share: AdamW, learning rate over the steps, one step down, early stopping."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["Best", "adamw", "descend", "drawing", "scheduled", "warmup_linear"]

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


def scheduled(optimizer: torch.optim.Optimizer, max_steps: int, warmup_share: float) -> Any:
    """Scheduler of that learning rate; step it after every step."""
    return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warmup_linear(step, max_steps, warmup_share))


class Best:
    """The weights that were best on val so far, and how many looks have brought nothing better since.

    Args:
        model: whose weights are kept.
        value: what they reach now.
    """

    def __init__(self, model: Any, value: float) -> None:
        self.model, self.value, self.stale = model, value, 0
        self._state = copy.deepcopy(model.state_dict())

    def look(self, value: float) -> None:
        """Take what the weights reach now."""
        self.stale = 0 if value > self.value else self.stale + 1
        if value > self.value:
            self.value, self._state = value, copy.deepcopy(self.model.state_dict())

    def restore(self) -> None:
        """Put the best weights back into the model."""
        self.model.load_state_dict(self._state)
        self.model.eval()


@contextmanager
def drawing(device: torch.device, seed: int) -> Iterator[None]:
    """Draws of torch (dropout) from this seed while the block runs; the generators outside are not moved."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def descend(loss: torch.Tensor, model: Any, optimizer: torch.optim.Optimizer) -> float:
    """One step along the clipped gradient; the loss as a number."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
    optimizer.step()
    return float(loss.detach())
