"""Scores of texts at known places."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.scores import Centers, score_table

CENTERS = Centers(("a", "b"), np.array([[10.0, 0.0], [0.0, 10.0]]), "euclidean")
PLACES = {"a": (9.0, 0.0), "b": (0.0, 9.0)}


def scores(
    texts: dict[str, str],
    target: str = "b",
    group: str = "b",
    topics: Mapping[str, str] | None = None,
    ends: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Condition -> place of the text of the group's question 0, 1, ...; `-` is an empty text.

    `topics` has what the topic probe sees of a condition's texts, else b; `ends` a letter for each of them: by its end
    token, at a stop string, at the limit. An empty text has no topic and no relevance.
    """
    reasons = {"e": "stop", "s": "stop_string", "l": "length"}
    rows = [(c, i, place) for c, places in texts.items() for i, place in enumerate(places)]
    frame = pl.DataFrame(
        {
            "request_id": [f"{c} {group}{i} {target}" for c, i, _ in rows],
            "question_id": [f"{group}{i}" for _, i, _ in rows],
            "question_group": group,
            "target": target,
            "condition": [c for c, _, _ in rows],
            "sample": 0,
            "prompt": "",
            "seed": 1,
            "method": [None] * len(rows),
            "text": ["" if p == "-" else "one two" for _, _, p in rows],
            "n_tokens": 2,
            "finish_reason": [reasons[(ends or {}).get(c, "e" * 99)[i]] for c, i, _ in rows],
        },
        schema_overrides={"sample": pl.Int64, "seed": pl.Int64, "method": pl.String},
    )
    places = np.array([PLACES.get(p, (1.0, 1.0)) for _, _, p in rows])
    ids = frame["request_id"].to_list()
    topic = [None if p == "-" else (topics or {}).get(c, "b" * 99)[i] for c, i, p in rows]
    relevance = [None if p == "-" else 0.75 for _, _, p in rows]
    fluency = dict.fromkeys(ids, 2.0)
    topic_of, relevance_of = dict(zip(ids, topic, strict=True)), dict(zip(ids, relevance, strict=True))
    return score_table(frame, places, places, topic_of, relevance_of, fluency, CENTERS)


def texts_of(frame: pl.DataFrame) -> dict[str, str]:
    """Request id -> text."""
    return {i: "" if empty else "one two" for i, empty in frame.select("request_id", "empty").iter_rows()}


def bootstrap(frame: pl.DataFrame) -> ClusterBootstrap:
    return ClusterBootstrap(frame["question_id"].to_list(), 500, 1)
