"""The end of the prompt that names the group's style attributes minus that of the plain one (Stolfo et al. 2025)."""

from __future__ import annotations

import numpy as np

from sociolect.steering.material import Material

READS: tuple[str, ...] = ("prompted_minus_plain",)
MODE = "add"


def vectors(material: Material) -> dict[str, np.ndarray]:
    """Vectors [L, d] of all groups."""
    return dict(zip(material.groups, material.means("prompted_minus_plain"), strict=True))
