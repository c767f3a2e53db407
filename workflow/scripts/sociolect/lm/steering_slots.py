"""Steering inside a running model: vectors in numbered slots, a slot for every token, hooks that add them up.

Knows no engine: `SteeringSlots` belongs to a list of decoder blocks, whoever runs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from sociolect.common.digests import digest_of
from sociolect.common.errors import InputError
from sociolect.lm.requests import POSITIONS, SteerRef, read_vectors

__all__ = ["SlotEntry", "SteeringSlots", "first_steered", "slots_of_tokens", "steering_digest"]

TABLE, SLOTS = "steering_table", "steering_slots"


@dataclass(frozen=True)
class SlotEntry:
    """What a slot holds: a steering, and the digest that its requests must name."""

    slot: int
    steer: SteerRef
    digest: str


class SteeringSlots:
    """Tables [slots + 1, d] beside every block, and hooks that add to each token the row of its slot.

    Slot 0 is all zeros: no steering. Tables and slots are buffers of the blocks at fixed places, so that a graph
    that was compiled or captured with the hooks reads what is written later.

    Args:
        blocks: decoder blocks, in order; their output is [tokens, d], or a tuple that begins with it.
        width: d.
        n_slots: distinct steerings that can be held at once.
        n_tokens: most tokens of a forward pass.
        dtype: of the residual stream.
        device: of the blocks.
        skip: leave out, in Python, blocks and passes without steering. Not for compiled models, where the branch
            taken at the first pass would stay.
    """

    def __init__(
        self,
        blocks: Sequence[nn.Module],
        width: int,
        n_slots: int,
        n_tokens: int,
        dtype: torch.dtype,
        device: torch.device,
        skip: bool,
    ) -> None:
        self.blocks, self.width, self.n_slots = list(blocks), width, n_slots
        self.tables = [torch.zeros(n_slots + 1, width, dtype=dtype, device=device) for _ in self.blocks]
        self.slots = torch.zeros(n_tokens, dtype=torch.int64, device=device)
        self.digests: dict[int, str] = {}
        # blocks that some slot steers, and whether some token of this pass is steered
        self.steered: set[int] = set()
        self.busy = False
        self._live = 0
        for layer, (block, table) in enumerate(zip(self.blocks, self.tables, strict=True)):
            block.register_buffer(TABLE, table, persistent=False)
            block.register_buffer(SLOTS, self.slots, persistent=False)
            block.register_forward_hook(self._skipping(layer) if skip else _adding)

    def _skipping(self, layer: int) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> Any:
            return _adding(module, args, output) if self.busy and layer in self.steered else None

        return hook

    def load(self, entries: Sequence[SlotEntry]) -> None:
        """Put vectors into slots; slots that are not named are emptied.

        Raises:
            InputError: a slot or layer that does not exist, a mode other than `add`, a vector that is missing or of
                another shape, or one whose digest is not the entry's: the file has changed.
        """
        for table in self.tables:
            table.zero_()
        self.digests, self.steered = {}, set()
        for entry in entries:
            if not 1 <= entry.slot <= self.n_slots:
                raise InputError(f"steering slot {entry.slot} does not exist; there are {self.n_slots}")
            ref = entry.steer
            if ref.mode != "add":
                raise InputError(f"steering slots only add; mode {ref.mode!r} needs backend: transformers")
            vectors = read_vectors(ref.vectors_file, [ref.key])[ref.key]
            if tuple(vectors.shape) != (len(self.blocks), self.width):
                expected = (len(self.blocks), self.width)
                raise InputError(f"{ref.vectors_file}: {ref.key!r} is {tuple(vectors.shape)}, the model has {expected}")
            if steering_digest(ref, vectors) != entry.digest:
                raise InputError(
                    f"{ref.vectors_file}: {ref.key!r} has changed since the requests were made; start anew"
                )
            for layer in ref.layers:
                row = vectors[layer] * (ref.strength / len(ref.layers))
                self.tables[layer][entry.slot].copy_(row.to(self.tables[layer].dtype))
                self.steered.add(layer)
            self.digests[entry.slot] = entry.digest

    def place(self, slots: np.ndarray | torch.Tensor) -> None:
        """Name the slot of each token of the pass to come: int64 [tokens]. Tokens beyond have none."""
        n = len(slots)
        if isinstance(slots, np.ndarray):
            self.busy = bool(slots.any())
            if not self.busy and self._live == 0:
                return
            # a fresh array: a copy that is under way must not see the next pass
            slots = torch.from_numpy(slots)
        else:
            self.busy = True
        self.slots[:n].copy_(slots)
        if self._live > n:
            self.slots[n : self._live].zero_()
        self._live = n if self.busy else 0

    def clear(self) -> None:
        """No token is steered in the passes to come."""
        self.slots[: self._live].zero_()
        self.busy, self._live = False, 0


def _adding(module: nn.Module, args: Any, output: Any) -> Any:
    """Forward hook: each token's row is added to the block's output."""
    hidden = output[0] if isinstance(output, tuple) else output
    table, slots = getattr(module, TABLE), getattr(module, SLOTS)
    changed = hidden + table.index_select(0, slots[: hidden.shape[0]])
    return (changed, *output[1:]) if isinstance(output, tuple) else changed


def first_steered(positions: str, n_prompt: int) -> int:
    """Index of the first token that is steered, of a prompt of `n_prompt` tokens and what follows it."""
    return {"all": 0, "last": n_prompt - 1, "generated": n_prompt}[positions]


def slots_of_tokens(starts: np.ndarray, computed: np.ndarray, slots: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The slot of each token of a pass that mixes requests, whole prompts or parts of them.

    Args:
        starts: [requests + 1] where each request's tokens begin in the pass.
        computed: [requests] tokens of the request that were done in earlier passes.
        slots: [requests] slot of the request.
        first: [requests] index of its first steered token, counted from the beginning of the prompt.

    Returns:
        int64 [tokens].
    """
    counts = np.diff(starts)
    # position in the request: what was done before, and how far into this pass
    positions = np.arange(starts[-1]) - np.repeat(starts[:-1], counts) + np.repeat(computed, counts)
    steered = positions >= np.repeat(first, counts)
    return np.where(steered, np.repeat(slots, counts), 0).astype(np.int64)


def steering_digest(steer: SteerRef, vectors: torch.Tensor) -> str:
    """Digest of all that decides what a steering does to a text: rows, layers, strength, positions, mode.

    Args:
        steer: names layers, strength, positions and mode; the floors of mode `adaptive` are not looked at.
        vectors: [layers of the model, d] float32, of its key.

    Raises:
        InputError: positions that do not exist.
    """
    if steer.positions not in POSITIONS:
        raise InputError(f"positions {steer.positions!r}; use {', '.join(POSITIONS)}")
    rows = vectors[list(steer.layers)].contiguous().numpy().tobytes().hex()
    # `add` is not named: its digests are older than the modes
    mode = [] if steer.mode == "add" else [steer.mode]
    return digest_of([rows, list(steer.layers), steer.strength, steer.positions, *mode])
