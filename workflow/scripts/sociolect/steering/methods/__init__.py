"""Steering methods, one file each: what it reads of texts, how it is applied, and the vectors of all groups.

A method is a module with
    READS   kinds of texts whose activations it needs, of `steering/readings.py`;
    MODE    how the backend applies it, of `lm/requests.py`: add, adaptive or rotate;
    vectors Material -> group -> [L, d]; their length does not matter, and a group that is not there cannot be steered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from sociolect.steering.material import Material
from sociolect.steering.methods import (
    adaptive,
    all_attributes,
    content_free,
    distinctive_only,
    mean_difference,
    own_answer,
    prompt_difference,
    rotated,
    topic_free,
)

__all__ = ["METHODS", "Method", "reads_of"]


class Method(Protocol):
    """What each module gives."""

    READS: tuple[str, ...]
    MODE: str

    def vectors(self, material: Material) -> dict[str, np.ndarray]:
        """Vectors [L, d] of the groups."""
        ...


METHODS: Mapping[str, Method] = {
    "all": all_attributes,
    "distinctive": distinctive_only,
    "mean_difference": mean_difference,
    "content_free": content_free,
    "topic_free": topic_free,
    "own_answer": own_answer,
    "prompt_difference": prompt_difference,
    "adaptive": adaptive,
    "rotated": rotated,
}


def reads_of(names: tuple[str, ...]) -> list[str]:
    """Kinds of texts that these methods need, each once."""
    return sorted({kind for name in names for kind in METHODS[name].READS})
