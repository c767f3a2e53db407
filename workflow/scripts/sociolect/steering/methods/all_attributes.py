"""The sum of all attribute vectors, weighted by a softmax over the group's profile (N13)."""

from __future__ import annotations

import numpy as np

from sociolect.steering.combining import weighted_sums
from sociolect.steering.material import Material

READS: tuple[str, ...] = ()
MODE = "add"


def vectors(material: Material) -> dict[str, np.ndarray]:
    """Vectors [L, d] of all groups."""
    return weighted_sums(material, "all")
