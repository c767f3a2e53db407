"""Whether judges agree on what steering gained: judges that see different things and say the same are not fooled."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from sociolect.common.errors import InputError

__all__ = ["agreement_table"]


def agreement_table(gains: pl.DataFrame) -> pl.DataFrame:
    """For each pair of judges and each kind of targets, over the conditions where both have a gain.

    Args:
        gains: judge, condition, targets, gain (float; null or NaN where there is none), in any order.

    Returns:
        judge, other (later in the alphabet), targets, n (conditions), same_sign (share of them whose gains have the
        same sign, null if none; zero is like zero alone), spearman (null for fewer than three, or where one judge's
        gains are all equal).

    Raises:
        InputError: two gains of one judge for the same condition and targets.
    """
    keys = ["judge", "condition", "targets"]
    twice = gains.filter(gains.select(keys).is_duplicated())
    if twice.height:
        raise InputError(f"gains: two rows of {dict(zip(keys, twice.select(keys).row(0), strict=True))}; one is needed")
    there = gains.filter(pl.col("gain").cast(pl.Float64).is_finite().fill_null(False))
    rows = []
    for judge, other in combinations(gains["judge"].unique().sort(), 2):
        for targets in gains["targets"].unique().sort():
            pair = _paired(there.filter(pl.col("targets").eq_missing(targets)), judge, other)
            rows.append({"judge": judge, "other": other, "targets": targets, **_agreement(*pair)})
    schema = {
        **dict.fromkeys(("judge", "other"), pl.String()),
        "targets": gains.schema["targets"],
        "n": pl.Int64(),
        **dict.fromkeys(("same_sign", "spearman"), pl.Float64()),
    }
    return pl.DataFrame(rows, schema=schema)


def _paired(gains: pl.DataFrame, judge: str, other: str) -> tuple[np.ndarray, np.ndarray]:
    """Gains of both judges for the conditions that both have, each [n]."""
    first, second = (gains.filter(pl.col("judge") == name).select("condition", "gain") for name in (judge, other))
    both = first.join(second, on="condition", suffix="_other").sort("condition")
    return both["gain"].to_numpy(), both["gain_other"].to_numpy()


def _agreement(first: np.ndarray, second: np.ndarray) -> dict[str, float | int | None]:
    n = len(first)
    ranked = n >= 3 and np.ptp(first) > 0 and np.ptp(second) > 0
    return {
        "n": n,
        "same_sign": float((np.sign(first) == np.sign(second)).mean()) if n else None,
        "spearman": float(spearmanr(first, second).statistic) if ranked else None,
    }
