"""The same over the group's distinctive attributes alone (N14): a group that has none cannot be steered so."""

from __future__ import annotations

import numpy as np

from sociolect.steering.combining import weighted_sums
from sociolect.steering.material import Material

READS: tuple[str, ...] = ()
MODE = "add"


def vectors(material: Material) -> dict[str, np.ndarray]:
    """Vectors [L, d] of the groups that have distinctive attributes."""
    return weighted_sums(material, "distinctive")
