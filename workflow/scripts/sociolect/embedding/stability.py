"""How firmly a group's authors and answers fix its embedding: draws with replacement, of all sizes.

A draw of m authors stands for m other authors of the group. How far the embedding of the draw lies from that of all,
in distances to the next group's embedding, is how much of it is chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.progress import Report
from sociolect.common.schemas import STABILITY
from sociolect.common.seeds import seed_of
from sociolect.embedding.net import Distance, EmbeddingNet, distance_matrix, embed
from sociolect.embedding.statistics import AuthorStyles, author_styles, geometric_median, group_statistic

__all__ = ["STATISTICS", "draw_embeddings", "draw_sizes", "stability_table"]

STATISTICS = ("median", "mean", "usage", "mean_embedding", "geometric_median")
UNITS = ("authors", "answers")
_STEPS = (1, 2, 3, 5, 7)  # of sizes, times powers of ten
_LEAST = 5


def stability_table(
    style: np.ndarray,
    groups: Sequence[str],
    authors: Sequence[str | None],
    net: EmbeddingNet,
    distance: Distance,
    theta: float,
    draws: int,
    within: float,
    run_seed: int,
    progress: Report | None = None,
) -> pl.DataFrame:
    """STABILITY of the group embeddings by every statistic, over draws of authors and of answers.

    Args:
        style: train style vectors [n, K].
        groups: group of each.
        authors: author of each; None where unknown.
        distance: that the net was trained for.
        theta: SFAM threshold, for usage rates.
        draws: resamples of each size.
        within: ratio that is near enough.
    """
    rows: list[dict[str, Any]] = []
    total = len(UNITS) * len(STATISTICS)
    for unit in UNITS:
        who = authors if unit == "authors" else [None] * len(groups)
        points = embed(net, style)
        for statistic in STATISTICS:
            if progress is not None:
                progress(len({(r["unit"], r["statistic"]) for r in rows}), total, f"{unit}, {statistic}")
            if statistic in ("mean_embedding", "geometric_median"):
                per_author = author_styles(points, groups, who, "mean")
            else:
                per_author = author_styles(style, groups, who, statistic, theta)  # type: ignore[arg-type]
            ratios = _ratios(per_author, statistic, net, distance, draws, seed_of(run_seed, "stability", unit))
            for row in _rows(ratios, per_author, within):
                rows.append({"statistic": statistic, "unit": unit, **row})
    return STABILITY.frame(rows)


def draw_sizes(n: int) -> list[int]:
    """5, 7, 10, 20, 30, ... below n, and n itself."""
    sizes = [step * 10**power for power in range(len(str(n))) for step in _STEPS]
    return [size for size in sizes if _LEAST <= size < n] + [n]


def draw_embeddings(own: np.ndarray, statistic: str, net: EmbeddingNet, drawn: np.ndarray) -> np.ndarray:
    """Group embedding of each draw [B, D].

    Args:
        own: a group's authors [A, W]: style statistics, or (mean_embedding, geometric_median) mean embeddings.
        statistic: one of STATISTICS.
        net: f.
        drawn: rows of `own` in each draw [B, m].
    """
    if statistic == "median" and 4 * drawn.shape[1] < len(own):
        return embed(net, np.median(own[drawn], axis=1))
    cell = np.arange(len(drawn))[:, None] * len(own) + drawn
    times = np.bincount(cell.ravel(), minlength=len(drawn) * len(own)).reshape(len(drawn), len(own))
    if statistic == "median":
        return embed(net, _medians(own, times.astype(np.int32)))
    if statistic == "geometric_median":
        return _geometric_medians(own, times)
    means = times @ own / drawn.shape[1]
    return means if statistic == "mean_embedding" else embed(net, means)


def _ratios(
    per_author: AuthorStyles, statistic: str, net: EmbeddingNet, distance: Distance, draws: int, seed: int
) -> dict[tuple[int, int], np.ndarray]:
    """(group, size) -> distance of each draw to the embedding of all, over that to the next group [draws]."""
    whole = _whole(per_author, statistic, net)
    between = distance_matrix(whole, whole, distance)
    np.fill_diagonal(between, np.inf)
    counts = per_author.counts()
    # sizes up to the smallest group's are drawn from every group
    sizes = set(draw_sizes(int(counts.min())))
    found = {}
    for g, count in enumerate(counts.tolist()):
        own, next_one = per_author.values[per_author.group == g], float(between[g].min())
        for size in sorted(sizes | set(draw_sizes(count))):
            rng = np.random.default_rng((seed, g, size))
            drawn = rng.integers(count, size=(draws, size))
            gap = distance_matrix(draw_embeddings(own, statistic, net, drawn), whole[g : g + 1], distance)[:, 0]
            gap = np.where(gap > 1e-5 * next_one, gap, 0.0)
            found[g, size] = np.divide(gap, next_one, out=np.where(gap > 0, np.nan, 0.0), where=next_one > 0)
    return found


def _medians(points: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Medians [B, W] of points [A, W] that occur so many times [B, A]; of an even number the middle of two.

    Each column is sorted once for all draws.
    """
    size = times.sum(axis=1)[:, None]
    order = np.argsort(points, axis=0)
    result = np.empty((len(times), points.shape[1]))
    for column, rank in enumerate(order.T):
        reached = np.cumsum(times[:, rank], axis=1)
        low, high = ((reached <= middle).sum(axis=1) for middle in ((size - 1) // 2, size // 2))
        result[:, column] = (points[rank[low], column] + points[rank[high], column]) / 2
    return result


def _geometric_medians(points: np.ndarray, times: np.ndarray, steps: int = 200) -> np.ndarray:
    """Geometric medians [B, D] of points [A, D] that occur so many times [B, A]: Weiszfeld's iteration, all at once.

    To three digits of the points' spread, which is far finer than what draws differ by.
    """
    current = times @ points / times.sum(axis=1, keepdims=True)
    squares = np.square(points).sum(axis=1)
    scale = float(np.abs(points - points.mean(axis=0)).max()) or 1.0
    for _ in range(steps):
        apart = np.square(current).sum(axis=1)[:, None] - 2 * current @ points.T + squares
        pull = times / np.sqrt(np.maximum(apart, (1e-6 * scale) ** 2))
        moved = pull @ points / pull.sum(axis=1, keepdims=True)
        step = float(np.abs(moved - current).max())
        current = moved
        if step <= 1e-4 * scale:
            break
    return np.asarray(current)


def _whole(per_author: AuthorStyles, statistic: str, net: EmbeddingNet) -> np.ndarray:
    if statistic == "geometric_median":
        return np.stack(
            [geometric_median(per_author.values[per_author.group == g]) for g in range(len(per_author.groups))]
        )
    if statistic == "mean_embedding":
        return group_statistic(per_author, "mean")
    return embed(net, group_statistic(per_author, statistic))  # type: ignore[arg-type]


def _rows(
    ratios: Mapping[tuple[int, int], np.ndarray], per_author: AuthorStyles, within: float
) -> list[dict[str, Any]]:
    """Rows of STABILITY for each group, and for the mean over groups at the sizes that all have."""
    counts = per_author.counts()
    rows = [_row(per_author.groups[g], size, size == counts[g], values, within) for (g, size), values in ratios.items()]
    least = int(counts.min())
    for size in draw_sizes(least):
        values = np.stack([ratios[g, size] for g in range(len(counts))])
        rows.append(_row(None, size, False, values, within))
    ends = np.stack([ratios[g, int(n)] for g, n in enumerate(counts)])
    return [*rows, _row(None, least, True, ends, within)]


def _row(group: str | None, size: int, whole: bool, values: np.ndarray, within: float) -> dict[str, Any]:
    if not np.isfinite(values).all():
        return {"group": group, "size": size, "whole": whole, "ratio": None, "ratio_high": None, "within": False}
    ratio, high = float(values.mean()), float(np.quantile(values, 0.9))
    return {"group": group, "size": size, "whole": whole, "ratio": ratio, "ratio_high": high, "within": ratio <= within}
