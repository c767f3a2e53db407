"""The difference of means of answers whose content words are replaced and whose question is not read: how, not what."""

from __future__ import annotations

import numpy as np

from sociolect.steering.combining import differences
from sociolect.steering.material import Material

READS: tuple[str, ...] = ("replaced",)
MODE = "add"


def vectors(material: Material) -> dict[str, np.ndarray]:
    """Vectors [L, d] of all groups."""
    return differences(material.means("replaced"), material.groups)
