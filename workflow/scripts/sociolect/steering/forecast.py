"""A forecast of the sweep that costs no generation: how well a vector parts texts that it was not made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from sociolect.common.schemas import FORECAST
from sociolect.steering.material import EPS, Material
from sociolect.steering.methods import METHODS
from sociolect.steering.vectors import group_vectors

__all__ = ["forecast_table", "rank_correlation"]


def forecast_table(
    material: Material, built: Mapping[tuple[str, str], np.ndarray], methods: Sequence[str]
) -> pl.DataFrame:
    """FORECAST of all groups, methods and blocks.

    The folds of the texts are halved; the vectors of each half are held against the answers of the other one.

    Args:
        material: what the vectors are made of.
        built: (group, method) -> unit vector [L, d], of all folds.
        methods: names.
    """
    rows: list[tuple[str, str, int, float | None, float | None, float]] = []
    for name in methods:
        own = {group: vector for (group, method), vector in built.items() if method == name}
        halves = _halves(material, name)
        for group, vector in sorted(own.items()):
            others = [v for other, v in own.items() if other != group]
            alike = np.mean([np.einsum("ld,ld->l", vector, v) for v in others], axis=0) if others else 0 * vector[:, 0]
            separation, reliability = halves.get(group, (None, None))
            for layer in range(len(vector)):
                rows.append(
                    (
                        group,
                        name,
                        layer,
                        None if separation is None else float(separation[layer]),
                        None if reliability is None else float(reliability[layer]),
                        float(alike[layer]),
                    )
                )
    return FORECAST.frame(rows)


def rank_correlation(forecast: pl.DataFrame, sweep: pl.DataFrame) -> tuple[float | None, int]:
    """Spearman's rho over methods and single blocks: mean separation over groups against the best gain on val.

    Args:
        forecast: FORECAST.
        sweep: SWEEP.

    Returns:
        rho, null with fewer than three places or where one of both does not vary; and the number of places.
    """
    single = sweep.filter((pl.col("layers").list.len() == 1) & (pl.col("method") != "unsteered"))
    best = (
        single.with_columns(layer=pl.col("layers").list.first()).group_by("method", "layer").agg(pl.col("gain").max())
    )
    mean = forecast.drop_nulls("separation").group_by("method", "layer").agg(pl.col("separation").mean())
    both = best.join(mean, on=["method", "layer"]).sort("method", "layer")
    if both.height < 3 or both["gain"].n_unique() == 1 or both["separation"].n_unique() == 1:
        return None, both.height
    return float(spearmanr(both["separation"], both["gain"]).statistic), both.height


def _halves(material: Material, name: str) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
    """Group -> separation [L], and cosine of the two halves' vectors [L]; nothing with too few folds to halve."""
    texts = material.read["answers"]
    folds = texts.shape[1]
    if folds < 4:
        return {}
    parts = [list(range(start, folds, 2)) for start in (0, 1)]
    made = [group_vectors(material.folds(part), name) for part in parts]
    of_texts = bool(METHODS[name].READS)
    found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {}
    for g, group in enumerate(material.groups):
        if group not in made[0]:
            continue
        # each half's vector on the folds of the other half
        apart = [
            _separation(np.einsum("gfld,ld->gfl", texts[:, held], vectors[group]), g)
            for vectors, held in zip(made, parts[::-1], strict=True)
        ]
        cosine = np.einsum("ld,ld->l", made[0][group], made[1][group]) if of_texts else None
        found[group] = (np.mean(apart, axis=0), cosine)
    return found


def _separation(projections: np.ndarray, g: int) -> np.ndarray:
    """Of group g from all others [L], in standard deviations over a group's folds; projections are [G, folds, L]."""
    means = projections.mean(axis=1)
    spread = np.sqrt(projections.var(axis=1).mean(axis=0))
    others = np.delete(means, g, axis=0).mean(axis=0)
    return np.asarray((means[g] - others) / np.maximum(spread, EPS))
