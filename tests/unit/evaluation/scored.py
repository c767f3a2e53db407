"""Scores of texts at known places."""

from __future__ import annotations

import numpy as np
import polars as pl

from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.scores import Centers, score_table

CENTERS = Centers(("a", "b"), np.array([[10.0, 0.0], [0.0, 10.0]]), "euclidean")
PLACES = {"a": (9.0, 0.0), "b": (0.0, 9.0)}


def scores(
    texts: dict[str, str], target: str = "b", judged: str = "b", ends: dict[str, str] | None = None
) -> pl.DataFrame:
    """Condition -> place of the text of question 1, 2, ...; the target is the question's own group.

    `ends` has a letter for each text of a condition: by its end token, at a stop string, at the limit.
    """
    reasons = {"e": "stop", "s": "stop_string", "l": "length"}
    rows = [(condition, f"q{i}", place) for condition, places in texts.items() for i, place in enumerate(places)]
    frame = pl.DataFrame(
        {
            "request_id": [f"{c} {q}" for c, q, _ in rows],
            "question_id": [q for _, q, _ in rows],
            "question_group": "b",
            "target": target,
            "condition": [c for c, _, _ in rows],
            "sample": 0,
            "prompt": "",
            "seed": 1,
            "method": [None] * len(rows),
            "text": ["" if p == "-" else "one two" for _, _, p in rows],
            "n_tokens": 2,
            "finish_reason": [reasons[(ends or {}).get(c, "e" * 99)[int(q[1:])]] for c, q, _ in rows],
        },
        schema_overrides={"sample": pl.Int64, "seed": pl.Int64, "method": pl.String},
    )
    places = np.array([PLACES.get(p, (1.0, 1.0)) for _, _, p in rows])
    fluency = dict.fromkeys(frame["request_id"].to_list(), 2.0)
    return score_table(frame, places, places, [judged] * len(rows), fluency, CENTERS)


def bootstrap(frame: pl.DataFrame) -> ClusterBootstrap:
    return ClusterBootstrap(frame["question_id"].to_list(), 500, 1)
