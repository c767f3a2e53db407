"""Uncertainty of the comparison: paired cluster bootstrap over questions, exact McNemar, Holm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest

from sociolect.common.errors import InputError
from sociolect.common.resamples import draw_counts

__all__ = ["ClusterBootstrap", "NestedBootstrap", "holm", "mcnemar"]


class ClusterBootstrap:
    """Resamples of questions, drawn once and used for every row and measure, so that differences are paired.

    All generations of a question go together: they share the question and its reference. Percentile intervals
    (Efron and Tibshirani 1993, chapter 13); the clusters are drawn as multinomial counts.

    Args:
        clusters: ids of all questions; order and repetition do not matter.
        resamples: number B of resamples.
        seed: of this bootstrap.
        confidence: level of the intervals.
    """

    def __init__(self, clusters: Sequence[str], resamples: int, seed: int, confidence: float = 0.95) -> None:
        names = sorted(set(clusters))
        if not names:
            raise InputError("the bootstrap needs at least one question")
        self.number = {name: i for i, name in enumerate(names)}
        self.confidence = confidence
        self.counts = draw_counts(len(names), resamples, seed).astype(float)

    def resampled_means(self, clusters: Sequence[str], values: np.ndarray) -> np.ndarray:
        """Mean of the finite values in every resample [B]; NaN where a resample holds none of them.

        Args:
            clusters: question of each value.
            values: [n]; NaN is left out.
        """
        values = np.asarray(values, dtype=np.float64)
        there = np.isfinite(values)
        index = np.array([self.number[c] for c in clusters], dtype=np.int64)[there]
        total = np.bincount(index, values[there], minlength=len(self.number))
        size = np.bincount(index, minlength=len(self.number))
        with np.errstate(invalid="ignore"):
            return np.asarray((self.counts @ total) / (self.counts @ size))

    def interval(self, clusters: Sequence[str], values: np.ndarray) -> tuple[float, float] | None:
        """Percentile interval of the mean of the finite values; None where there are none.

        A mean difference is paired if `values` are differences within pairs.
        """
        means = self.resampled_means(clusters, values)
        means = means[np.isfinite(means)]
        if len(means) == 0:
            return None
        tail = (1.0 - self.confidence) / 2
        low, high = np.quantile(means, [tail, 1.0 - tail])
        return float(low), float(high)


class NestedBootstrap(ClusterBootstrap):
    """The same for questions of several runs: runs are drawn, then questions within each run that was drawn, so that
    what differs from run to run widens the intervals, too.

    Args:
        clusters: ids of all questions of all runs.
        runs: the run of each of them.
        resamples, seed, confidence: as above.
    """

    def __init__(
        self, clusters: Sequence[str], runs: Sequence[str], resamples: int, seed: int, confidence: float = 0.95
    ) -> None:
        super().__init__(clusters, 1, seed, confidence)
        run = dict(zip(clusters, runs, strict=True))
        of = {name: [self.number[c] for c in self.number if run[c] == name] for name in sorted(set(runs))}
        rng = np.random.default_rng(seed)
        times = rng.multinomial(len(of), np.full(len(of), 1 / len(of)), size=resamples)
        self.counts = np.zeros((resamples, len(self.number)))
        for column, own in enumerate(of.values()):
            self.counts[:, own] = rng.multinomial(times[:, column] * len(own), np.full(len(own), 1 / len(own)))


def mcnemar(first: np.ndarray, second: np.ndarray) -> float:
    """Exact two-sided McNemar test of two paired yes/no outcomes [n] (McNemar 1947); 1 without discordant pairs.

    It takes pairs as independent; samples of one question are not quite, so read it beside the intervals, which
    resample questions.
    """
    first, second = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    gained, lost = int((first & ~second).sum()), int((second & ~first).sum())
    if gained + lost == 0:
        return 1.0
    return float(binomtest(gained, gained + lost, 0.5).pvalue)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Step-down adjusted p-values (Holm 1979) in the given order; None stays None and is not counted."""
    there = [i for i, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, i in enumerate(sorted(there, key=lambda i: (p_values[i], i))):
        largest = max(largest, min(1.0, (len(there) - rank) * float(p_values[i] or 0.0)))
        adjusted[i] = largest
    return adjusted
