"""From a measure to the probability of its attribute: a monotone curve, fitted on train, .5 at the threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Curve", "fit_curve", "holds"]

MOST_KNOTS = 1000
# the largest float32 below .5: style vectors are stored as such
BELOW_HALF = float(np.nextafter(np.float32(0.5), np.float32(0.0)))


def holds(values: np.ndarray, threshold: float | np.ndarray, low: bool | np.ndarray) -> np.ndarray:
    """Where an attribute holds, bool: at or beyond its threshold; a "high" one needs its measure to occur at all.

    Args:
        values: of the measure, [n] or [n, attributes].
        threshold: of the attribute, or [attributes].
        low: its direction, or [attributes].
    """
    return np.asarray(np.where(low, values <= threshold, (values >= threshold) & (values > 0.0)))


@dataclass(frozen=True)
class Curve:
    """Probability over the values of a measure: linear between the knots, constant outside them.

    Attributes:
        low: the attribute holds below its threshold, not above it.
        threshold: the describer's.
        x: values of the measure, ascending.
        p: their probabilities, ascending; descending where `low`.
    """

    low: bool
    threshold: float
    x: np.ndarray
    p: np.ndarray

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Probability at each value [n]: at least .5 exactly where the attribute holds."""
        sign = -1.0 if self.low else 1.0
        order = slice(None, None, -1) if self.low else slice(None)
        x, p, bound = sign * self.x[order], self.p[order], sign * self.threshold
        above = holds(self.x[order], self.threshold, self.low)
        # one piece on each side of the threshold, both of which end there at .5
        lower_x, lower_p, upper_x, upper_p = x[~above], p[~above], x[above], p[above]
        if not len(lower_x) or lower_x[-1] < bound:
            lower_x, lower_p = np.r_[lower_x, bound], np.r_[lower_p, 0.5]
        if not len(upper_x) or upper_x[0] > bound:
            upper_x, upper_p = np.r_[bound, upper_x], np.r_[0.5, upper_p]
        lower, upper = np.interp(sign * values, lower_x, lower_p), np.interp(sign * values, upper_x, upper_p)
        return np.where(holds(values, self.threshold, self.low), np.maximum(upper, 0.5), np.minimum(lower, BELOW_HALF))


def fit_curve(values: np.ndarray, threshold: float, low: bool) -> Curve:
    """The curve of an attribute whose measure has these values [n] on train.

    F is the empirical distribution with mid-ranks, counted towards the attribute, and c the share that lacks it:
    p = F / 2c where it does not hold, and 1/2 + (F - c) / 2(1 - c) where it does. p rises with every value that
    train has. Of more than MOST_KNOTS distinct values as many are kept, evenly spaced, and those at both sides of the
    threshold.
    """
    towards = -values if low else values
    distinct, counts = np.unique(towards, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / len(values)
    x = -distinct if low else distinct
    above = holds(x, threshold, low)
    lacking = float(counts[~above].sum() / len(values))
    p = np.where(
        above,
        0.5 + 0.5 * (ranks - lacking) / max(1.0 - lacking, 1.0 / len(values)),
        np.minimum(0.5 * ranks / max(lacking, 1.0 / len(values)), BELOW_HALF),
    )
    first = int((~above).sum())
    kept = np.linspace(0, len(x) - 1, min(len(x), MOST_KNOTS)).round().astype(int)
    kept = np.unique([*kept, max(first - 1, 0), min(first, len(x) - 1)])
    order = slice(None, None, -1) if low else slice(None)
    return Curve(low, threshold, x[kept][order], p[kept][order])
