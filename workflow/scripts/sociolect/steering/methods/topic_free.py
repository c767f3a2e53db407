"""The content-free difference less the directions of topic: those that tell the groups' questions apart, and their
answers' content words."""

from __future__ import annotations

import numpy as np

from sociolect.steering.combining import differences, without_directions
from sociolect.steering.material import Material

READS: tuple[str, ...] = ("replaced", "questions", "content")
MODE = "add"


def vectors(material: Material) -> dict[str, np.ndarray]:
    """Vectors [L, d] of all groups."""
    told = [material.means(kind) for kind in ("questions", "content")]
    topics = np.concatenate([means - means.mean(axis=0) for means in told])
    return without_directions(differences(material.means("replaced"), material.groups), topics)
