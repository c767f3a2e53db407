"""Accuracy over pairs of groups in resamples of the questions, and intervals."""

from __future__ import annotations

import numpy as np

from sociolect.common.resamples import draw_counts
from sociolect.embedding.accuracy import beats

__all__ = ["Resampled"]


class Resampled:
    """Mean accuracies over pairs of groups and their intervals, from one paired bootstrap over questions.

    Args:
        questions: question of each test answer [n].
        truth: its group [n], from 0.
        n_groups: G.
        resamples: number B of resamples.
        confidence: level of the intervals.
        seed: of the draws.
    """

    def __init__(
        self, questions: np.ndarray, truth: np.ndarray, n_groups: int, resamples: int, confidence: float, seed: int
    ) -> None:
        names, self.question = np.unique(questions, return_inverse=True)
        self.truth, self.n_groups = truth, n_groups
        present = np.isin(np.arange(n_groups), truth)
        self.others = present & (truth[:, None] != np.arange(n_groups))
        # the first row is the sample itself
        self.counts = np.vstack([np.ones(len(names)), draw_counts(len(names), resamples, seed)])
        self.tails = [(1 - confidence) / 2, (1 + confidence) / 2]

    def pairwise(self, near: np.ndarray, against: np.ndarray | None = None) -> np.ndarray:
        """Mean over ordered pairs of groups of how often the one's answers are nearer to it: [1 + B], NaN if none.

        Args:
            near: of the test answers [n, G].
            against: groups that an answer is compared with, bool [n, G]; all others by default.
        """
        against = self.others if against is None else against
        right = self._summed(beats(near, self.truth) & against)
        tried = self._summed(against)
        met = tried > 0
        rate = np.divide(right, tried, out=np.zeros_like(right), where=met)
        with np.errstate(invalid="ignore"):
            return np.asarray(rate.sum(axis=1) / met.sum(axis=1))

    def figures(self, name: str, near: np.ndarray, against: np.ndarray | None = None) -> dict[str, float | None]:
        """An accuracy with its interval, as columns of TOPIC; nulls where nothing can be compared."""
        return self._columns(name, self.pairwise(near, against))

    def kept(self, plain: np.ndarray, unseen: np.ndarray) -> dict[str, float | None]:
        """Both accuracies, their difference and the share of what lies above chance that is kept.

        Where the plain accuracy's interval reaches down to chance there is nothing that could be kept.
        """
        before, after = self.pairwise(plain), self.pairwise(unseen)
        columns = self._columns("plain", before) | self._columns("unseen", after)
        columns |= self._columns("drop", before - after)
        low = columns["plain_low"]
        if low is None or low <= 0.5:
            return columns
        above = before > 0.5
        share = np.divide(after - 0.5, before - 0.5, out=np.full(len(before), np.nan), where=above)
        return columns | self._columns("kept", share)

    def _summed(self, flags: np.ndarray) -> np.ndarray:
        """Sums over the answers of each group, in the sample and in every resample [1 + B, G * G]."""
        size = self.n_groups * self.n_groups
        cells = np.zeros((self.counts.shape[1], size))
        columns = self.truth[:, None] * self.n_groups + np.arange(self.n_groups)
        np.add.at(cells, (self.question[:, None], columns), flags)
        return np.asarray(self.counts @ cells)

    def interval(self, values: np.ndarray) -> tuple[float, float, float] | None:
        """The sample's value, which comes first, and the ends of the interval; None where there is no value."""
        if not np.isfinite(values[0]):
            return None
        low, high = np.nanquantile(values[1:], self.tails)
        return float(values[0]), float(low), float(high)

    def _columns(self, name: str, values: np.ndarray) -> dict[str, float | None]:
        found = self.interval(values) or (None, None, None)
        return dict(zip((name, f"{name}_low", f"{name}_high"), found, strict=True))
