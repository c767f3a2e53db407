"""What the vectors file of an experiment holds: every group's vector of every method, scaled by the residual norms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.lm.requests import floor_key

__all__ = ["scaled_vectors", "vector_key"]


def vector_key(method: str, group: str) -> str:
    """Key of a group's vector in the vectors file."""
    return f"{method}/{group}"


def scaled_vectors(steering: pl.DataFrame, norms: Sequence[float]) -> dict[str, torch.Tensor]:
    """The vectors file's content: key -> r[l] * v[l], float32 [layers, d], and beside each its floor [layers, 1].

    Raises:
        InputError: there are not as many norms as layers.
    """
    found: dict[str, torch.Tensor] = {}
    scale = np.asarray(norms, dtype=np.float64)[:, None]
    for (group, method), rows in steering.sort("layer").group_by(["group", "method"], maintain_order=True):
        values = matrix(rows["vector"])
        if len(values) != len(scale):
            raise InputError(
                f"group {group!r}, method {method!r}: {len(values)} layers, but {len(scale)} residual norms; "
                "the vectors and the choice come from different models"
            )
        key = vector_key(str(method), str(group))
        found[key] = torch.from_numpy((values * scale).astype(np.float32))
        found[floor_key(key)] = torch.from_numpy(rows["floor"].to_numpy().astype(np.float32)[:, None])
    return found
