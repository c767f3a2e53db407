"""A table of a sweep."""

from __future__ import annotations

import polars as pl

from sociolect.common import schemas


def sweep() -> pl.DataFrame:
    rows = [
        ("all", layers, alpha, 8, 0.5, alpha, 2 + alpha, 0.1, alpha < 0.5, layers == [1] and alpha == 0.4)
        for layers in ([1], [1, 2])
        for alpha in (0.0, 0.4, 0.8)
    ]
    return schemas.SWEEP.frame(rows)
