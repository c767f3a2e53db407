"""Steering of a batch in transformers: a vector, layers, strength, positions and mode of its own for every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch

from sociolect.lm.hooks import add_to_blocks, change_blocks
from sociolect.lm.requests import SteerRef, floor_key

__all__ = ["RowSteering", "lifted", "turned"]

Vectors = Mapping[tuple[str, str], torch.Tensor]


class RowSteering:
    """Per layer a table [slots, d] of what is added, slot 0 all zeros, and every row's slot.

    Rows of mode `rotate` are scaled to their norm after that. Those of mode `adaptive` have zeros in the table, and
    what is missing from their targets is added instead.

    Args:
        tables: layer -> [slots, d].
        slots: of each row, [rows].
        positions: of each row, [rows]: 0 generated, 1 last, 2 all.
        lifts: layer -> unit vectors [slots, d] and targets of the projections [slots, 1], which are -inf where nothing
            is lifted; empty if no row is adaptive.
        turns: whether a slot keeps norms, [slots]; None if none does.
    """

    def __init__(
        self,
        tables: dict[int, torch.Tensor],
        slots: torch.Tensor,
        positions: torch.Tensor,
        lifts: dict[int, tuple[torch.Tensor, torch.Tensor]],
        turns: torch.Tensor | None,
    ) -> None:
        self.tables, self.slots, self.positions, self.lifts, self.turns = tables, slots, positions, lifts, turns
        # of the pass to come, by row and token
        self.additions: dict[int, torch.Tensor | None] = dict.fromkeys(tables)
        self.lifted: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self.turned: torch.Tensor | None = None

    @classmethod
    def of(cls, steers: Sequence[SteerRef | None], vectors: Vectors, device: torch.device) -> RowSteering | None:
        """Steering of rows, or None if no row is steered.

        Args:
            steers: of each row.
            vectors: (file, key) -> [n_layers, d], and for mode `adaptive` (file, floor_key(key)) -> [n_layers, 1].
            device: of the model.
        """
        refs = list(dict.fromkeys(steer for steer in steers if steer is not None))
        if not refs:
            return None
        number = {ref: slot for slot, ref in enumerate(refs, start=1)}
        width = vectors[refs[0].vectors_file, refs[0].key].shape[1]
        layers = sorted({layer for ref in refs for layer in ref.layers})
        nothing = torch.zeros(width)
        tables = {
            layer: torch.stack([nothing, *(_row(ref, layer, vectors) for ref in refs)]).to(device) for layer in layers
        }
        modes = ["", *(ref.mode for ref in refs)]
        lifts = {}
        for layer in layers if "adaptive" in modes else ():
            found = [(nothing, torch.tensor([-torch.inf])), *(_lift(ref, layer, vectors) for ref in refs)]
            units, targets = (torch.stack(part).to(device) for part in zip(*found, strict=True))
            lifts[layer] = (units, targets)
        turns = torch.tensor([mode == "rotate" for mode in modes], device=device) if "rotate" in modes else None
        slots = torch.tensor([number[steer] if steer is not None else 0 for steer in steers], device=device)
        order = {"generated": 0, "last": 1, "all": 2}
        positions = torch.tensor([order[steer.positions] if steer is not None else 0 for steer in steers])
        return cls(tables, slots, positions.to(device), lifts, turns)

    def hooks(self, model: Any) -> Any:
        """Context in which the model is steered."""
        if not self.lifts and self.turns is None:
            return add_to_blocks(model, self.additions)
        return change_blocks(model, {layer: partial(self._changed, layer) for layer in self.tables})

    def at_prompt(self, mask: torch.Tensor, rows: torch.Tensor) -> None:
        """Steer the prompt tokens that each of these rows asks for; padding never.

        Args:
            mask: of the prompts' tokens, [prompts, tokens].
            rows: a row that has each prompt, [prompts].
        """
        slots, positions = self.slots[rows], self.positions[rows]
        where = mask.bool() & (positions == 2).unsqueeze(1)
        where[:, -1] |= positions == 1
        if not where.any():
            self.additions.update(dict.fromkeys(self.tables))
            return
        for layer, table in self.tables.items():
            self.additions[layer] = table[slots].unsqueeze(1) * where.unsqueeze(2)
        self._at(slots, where)

    def at_generated(self) -> None:
        """Steer the one token that each row has just generated."""
        for layer, table in self.tables.items():
            self.additions[layer] = table[self.slots].unsqueeze(1)
        self._at(self.slots, torch.ones_like(self.slots, dtype=torch.bool).unsqueeze(1))

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows."""
        self.slots, self.positions = self.slots[rows], self.positions[rows]

    def _at(self, slots: torch.Tensor, where: torch.Tensor) -> None:
        """Targets and norms of a pass, of rows with these slots [rows], at these tokens [rows, tokens]."""
        for layer, (units, targets) in self.lifts.items():
            wanted = torch.where(where.unsqueeze(2), targets[slots].unsqueeze(1), -torch.inf)
            self.lifted[layer] = (units[slots].unsqueeze(1), wanted)
        if self.turns is not None:
            self.turned = self.turns[slots].reshape(-1, 1, 1)

    def _changed(self, layer: int, hidden: torch.Tensor) -> torch.Tensor | None:
        addition, device = self.additions[layer], hidden.device
        if addition is None:
            return None
        addition = addition.to(device)
        changed = hidden + addition.to(hidden.dtype)
        if layer in self.lifted:
            units, targets = self.lifted[layer]
            changed = lifted(changed, units.to(device), targets.to(device))
        if self.turned is not None:
            changed = torch.where(self.turned.to(device), turned(hidden, addition), changed)
        return changed


def lifted(hidden: torch.Tensor, units: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Add to each token what its projection lacks, along a unit vector; nothing where it lacks nothing.

    Args:
        hidden: [rows, tokens, d].
        units: float32 [rows, 1, d].
        targets: least projections, float32 [rows, tokens or 1, 1]; -inf for none.
    """
    missing = targets - hidden.float() @ units.transpose(1, 2)
    return torch.where(missing > 0, hidden + (missing * units).to(hidden.dtype), hidden)


def turned(hidden: torch.Tensor, addition: torch.Tensor) -> torch.Tensor:
    """Add to each token and scale it to the norm that it had; where nothing is added it stays as it is, bit by bit.

    Args:
        hidden: [rows, tokens, d].
        addition: float32 [rows, tokens or 1, d].
    """
    # rounded once, at the end: in bfloat16 a scale near 1 would be lost
    before, pushed = hidden.float(), hidden.float() + addition
    norms = pushed.norm(dim=-1, keepdim=True)
    scaled = (pushed * (before.norm(dim=-1, keepdim=True) / norms)).to(hidden.dtype)
    return torch.where((addition != 0).any(dim=-1, keepdim=True) & (norms > 0), scaled, hidden)


def _row(ref: SteerRef, layer: int, vectors: Vectors) -> torch.Tensor:
    """What this steering adds to a layer's output, [d]."""
    value = vectors[ref.vectors_file, ref.key][layer]
    if ref.mode == "adaptive" or layer not in ref.layers:
        return torch.zeros_like(value)
    return value * (ref.strength / len(ref.layers))


def _lift(ref: SteerRef, layer: int, vectors: Vectors) -> tuple[torch.Tensor, torch.Tensor]:
    """The direction [d] along which this steering lifts a layer's output, and up to which projection [1]."""
    row = vectors[ref.vectors_file, ref.key][layer]
    norm = row.norm()
    if ref.mode != "adaptive" or layer not in ref.layers or ref.strength == 0 or norm == 0:
        return torch.zeros_like(row), torch.tensor([-torch.inf])
    floor = vectors[ref.vectors_file, floor_key(ref.key)][layer]
    return row / norm, floor + norm * (ref.strength / len(ref.layers))
