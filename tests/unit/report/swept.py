"""A table of a sweep."""

from __future__ import annotations

from typing import Any

import polars as pl

from sociolect.common import schemas

METHODS, ALPHAS = ("all", "mean_difference"), (0.2, 0.4, 0.8)


def sweep() -> pl.DataFrame:
    """Unsteered, and two methods at two places with three strengths: the largest is outside the guard of fluency, and
    the smallest of the first method outside that of the topic."""
    plain = {"positions": "last", "n": 8, "hit_rate": 0.5, "correct_change_rate": 0.1, "gain_own": 0.0,
             "gain_cross": 0.0, "gain_error": 0.0, "topic_loss": 0.0, "repetition": 0.1, "on_topic": True}  # fmt: skip
    unsteered = {"method": "unsteered", "layers": [], "alpha": 0.0, "positions": "", "gain": 0.0, "fluent": True}
    unsteered |= {"log_perplexity": 2.0, "chosen": False, "best": False}
    rows: list[dict[str, Any]] = [plain | unsteered]
    for method in METHODS:
        for layers in ([1], [1, 2]):
            for alpha in ALPHAS:
                best = layers == [1] and alpha == 0.4
                own = {"method": method, "layers": layers, "alpha": alpha, "gain": alpha / len(layers)}
                own |= {"log_perplexity": 2 + alpha, "fluent": alpha < 0.5, "best": best}
                # gains more, on so few questions that it went no further
                own |= {"n": 4, "gain": 1.0} if layers == [1, 2] and alpha == 0.2 else {}
                own |= {"on_topic": not (method == "all" and alpha == 0.2)}
                rows.append(plain | own | {"chosen": best and method == "all"})
    return schemas.SWEEP.frame([{name: row[name] for name in schemas.SWEEP.columns} for row in rows])
