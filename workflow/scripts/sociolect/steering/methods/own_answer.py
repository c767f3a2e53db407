"""The human answer minus the model's own answer to the same question, on average (StyleVector: Zhang et al. 2025), less
that of the other groups: what all groups share tells people from the model, not groups from each other."""

from __future__ import annotations

import numpy as np

from sociolect.steering.combining import differences
from sociolect.steering.material import Material

READS: tuple[str, ...] = ("human_minus_model",)
MODE = "add"


def vectors(material: Material) -> dict[str, np.ndarray]:
    """Vectors [L, d] of all groups."""
    return differences(material.means("human_minus_model"), material.groups)
