"""A run of one question each of two groups, small enough to know what its page says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from sociolect.common import schemas
from sociolect.common.artifacts import vectors
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.by_judge import by_judge, seen_by_all
from sociolect.evaluation.scores import Centers, score_table
from sociolect.explorer.data import ExplorerTables
from sociolect.explorer.votes import by_group

CENTERS = Centers(("a", "b"), np.array([[10.0, 0.0], [0.0, 10.0]]), "euclidean")
# no measure has this name; the others point at words
CATALOGUE = pl.DataFrame(
    {"attribute_id": ["a0", "a1", "a2"], "attribute": ["hedging words", "an airy tone", "exclamation marks"]}
)
HEDGED, LOUD = "Perhaps \U0001f600 it may rain.", "It rains! Go!"
CONDITIONS = ("question", "question+group", "steered", "steered (random)")


def made_tables(texts: Mapping[str, str], questions: Mapping[str, str] | None = None) -> ExplorerTables:
    """Condition -> text of both groups' questions, draws 0 and 1; HEDGED lies at a, everything else at b.

    Every text is asked for on the group's own question and on the other group's.
    """
    keys = [(q, t, c, s) for q in "ab" for t in "ab" for c in texts for s in (0, 1)]
    generations = schemas.GENERATIONS.frame(
        [
            {
                "request_id": f"{q}{t} {c} {s}", "question_id": f"q-{q}", "question_group": q, "target": t,
                "condition": c, "sample": s, "prompt": f"{c}?", "seed": s, "method": None, "text": texts[c],
                "n_tokens": 3, "finish_reason": "stop",
            }
            for q, t, c, s in keys
        ]
    )  # fmt: skip
    ids, hedged = generations["request_id"].to_list(), (generations["text"] == HEDGED).to_numpy()
    places = np.where(hedged[:, None], [9.0, 0.0], [0.0, 9.0])
    styles = np.where(hedged[:, None], [1.0, 0.5, 0.0], [0.1, 0.55, 0.9])
    half: dict[str, float | None] = dict.fromkeys(ids, 0.5)
    seen: dict[str, str | None] = {i: i[0] for i in ids}
    scores = score_table(generations, places, styles, seen, half, half, CENTERS)
    rows = [("measured", "style", "a" if h else "b") for h in hedged]
    judged = [(i, *row, 0.5, 0.5) for i, row in zip(ids, rows, strict=True)]
    judged += [(i, "topic", "topic", i[0], 0.5, 0.5) for i in ids]
    said = schemas.JUDGED.frame(judged)
    groups = pl.DataFrame(
        {"group": ["a", "b"], "n_answers": [5, 5], "n_authors": [5, 5]}
        | {"distinctive": [["a0"], ["a2"]], "distinctive_gap": [[0.5]] * 2, "distinctive_frequency": [[1.0]] * 2}
    ).with_columns(
        vectors(CENTERS.embeddings, "embedding"),
        *(vectors(np.eye(2, 3), name) for name in ("style", "mean_style", "usage")),
    )
    ceilings = schemas.CEILINGS.frame([("measured", "style", None, 9, 0.9, 0.8, 0.7, 0.9, 0.5)])
    judges = by_judge(seen_by_all(scores, said), ceilings, ClusterBootstrap(["q-a", "q-b"], 100, 1))
    tables = ExplorerTables(
        "main", ("single",), "askx", scores, generations, said, groups.select(list(schemas.GROUPS.columns)), judges, {},
        questions or {"q-a": "What of a?", "q-b": "What of b?"}, "euclidean",
    )  # fmt: skip
    own = by_group(judges, scores, said, lambda questions, _: ClusterBootstrap(questions, 100, 1))
    return replace(tables, by_group=own)
