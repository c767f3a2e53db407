"""The mean activation of the group's answers minus that of the other groups' (CAA: Rimsky et al. 2024).

It carries what the group writes about along with how it writes.
"""

from __future__ import annotations

import numpy as np

from sociolect.steering.combining import differences
from sociolect.steering.material import Material

READS: tuple[str, ...] = ("answers",)
MODE = "add"


def vectors(material: Material) -> dict[str, np.ndarray]:
    """Vectors [L, d] of all groups."""
    return differences(material.means("answers"), material.groups)
