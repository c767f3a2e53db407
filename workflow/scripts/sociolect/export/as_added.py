"""Group vectors as a run adds them: of the chosen method, at the chosen blocks, as long as the chosen strength says."""

from __future__ import annotations

import polars as pl
import torch

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.generation.choice import Choice
from sociolect.lm.requests import SteerRef, floor_key
from sociolect.steering.vectors_file import scaled_vectors, vector_key

__all__ = ["added_vectors", "steering_with", "unit_vectors"]

Vectors = dict[str, torch.Tensor]


def added_vectors(steering: pl.DataFrame, choice: Choice) -> Vectors:
    """Group -> what is added to the output of each block, float32 [layers, d]; zeros at blocks that are not steered.

    Mode `adaptive` has its floors beside them, as vectors files do (`floor_key`).

    Args:
        steering: STEERING.
        choice: what was chosen on val.

    Raises:
        InputError: the chosen method has no vector, or vectors and choice come from different models.
    """
    own = _of_method(steering, choice.method)
    scaled = scaled_vectors(own, choice.residual_norms)
    found: Vectors = {}
    for group in own["group"].unique().sort():
        key = vector_key(choice.method, group)
        found[group] = torch.zeros_like(scaled[key])
        for layer in choice.layers:
            # in the order of row_steering.py: the same rounding, bit by bit
            found[group][layer] = scaled[key][layer] * (choice.alpha / len(choice.layers))
        if choice.mode == "adaptive":
            found[floor_key(group)] = scaled[floor_key(key)]
    return found


def unit_vectors(steering: pl.DataFrame, method: str) -> Vectors:
    """Group -> its directions, unit length at every block, float32 [layers, d].

    Raises:
        InputError: no group has a vector of this method.
    """
    frame = _of_method(steering, method).sort("group", "layer")
    parts = frame.partition_by("group", maintain_order=True)
    return {part["group"][0]: torch.from_numpy(matrix(part["vector"])).float() for part in parts}


def steering_with(vectors_file: str, group: str, choice: Choice) -> SteerRef:
    """How a backend adds these vectors as they are: with a strength that its division by blocks undoes."""
    return SteerRef(vectors_file, group, choice.layers, float(len(choice.layers)), choice.positions, choice.mode)


def _of_method(steering: pl.DataFrame, method: str) -> pl.DataFrame:
    frame = steering.filter(pl.col("method") == method)
    if frame.height == 0:
        raise InputError(f"steering vectors: none of the chosen method {method!r}; make the run anew")
    return frame
