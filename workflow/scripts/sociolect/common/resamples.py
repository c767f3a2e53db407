"""Bootstrap resamples of clusters: how often each is drawn."""

from __future__ import annotations

import numpy as np

__all__ = ["draw_counts"]


def draw_counts(n_clusters: int, resamples: int, seed: int) -> np.ndarray:
    """How often each cluster is in each resample of as many, drawn with replacement: int [resamples, n_clusters]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=resamples)
