"""Two runs of the chain with different seeds and the same ids, and the files that they leave behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sociolect.common import schemas
from sociolect.common.artifacts import write_table
from sociolect.common.files import write_json
from sociolect.evaluation.scores import Centers, score_table
from sociolect.study.pooled_seeds import SeedRun

QUESTIONS = ("a0", "a1", "b0", "b1")
OTHER = {"a": "b", "b": "a"}
PLACES = {"a": (9.0, 0.0), "b": (0.0, 9.0)}
# seed -> condition, kind of targets -> where the style model sees the texts of the four questions
SEEN = {
    1: {
        ("question", "own"): "abab",
        ("steered", "own"): "aabb",
        ("steered", "cross"): "bbaa",
        ("steered (random)", "own"): "abab",
    },
    2: {
        ("question", "own"): "bbaa",
        ("steered", "own"): "abbb",
        ("steered", "cross"): "aaab",
        ("steered (random)", "own"): "bbaa",
    },
}
# each catalogue has its own length and order; of them steering raises the first in a, and the second in b
ATTRIBUTES = {1: ("dots", "dashes"), 2: ("colons", "dots", "dashes")}
NAMED = {1: {"a": ["dots"], "b": ["dots"]}, 2: {"a": ["colons"], "b": ["dots"]}}
# ceiling of sfam, and in how many rows it stands
CEILING = {1: (0.8, 3), 2: (0.6, 1)}


def seed_run(seed: int, seen: dict[tuple[str, str], str] | None = None, **more: Any) -> SeedRun:
    """The run of seed 1 or 2.

    The topic probe sees the question's group, but after steering with seed 2 always a; `measured` sees what sfam sees.
    """
    rows = [
        (condition, question, question[0] if targets == "own" else OTHER[question[0]], place)
        for (condition, targets), places in (seen or SEEN[seed]).items()
        for question, place in zip(QUESTIONS, places, strict=True)
    ]
    frame = pl.DataFrame(
        {
            "request_id": [f"{condition} {question} {target}" for condition, question, target, _ in rows],
            "question_id": [question for _, question, _, _ in rows],
            "question_group": [question[0] for _, question, _, _ in rows],
            "target": [target for *_, target, _ in rows],
            "condition": [condition for condition, *_ in rows],
            "sample": 0, "prompt": "", "seed": 1, "method": None, "text": "one two", "n_tokens": 2,
            "finish_reason": "stop",
        },
        schema_overrides={"sample": pl.Int64, "seed": pl.Int64, "method": pl.String},
    )  # fmt: skip
    styles = np.zeros((len(rows), len(ATTRIBUTES[seed])))
    for i, (condition, _, target, _) in enumerate(rows):
        styles[i, "ab".index(target)] = condition == "steered"
    ids = frame["request_id"].to_list()
    topic = {i: "a" if seed == 2 and row[0] == "steered" else row[1][0] for i, row in zip(ids, rows, strict=True)}
    centers = Centers(("a", "b"), np.array([[10.0, 0.0], [0.0, 10.0]]), "euclidean")
    scores = score_table(
        frame, np.array([PLACES[place] for *_, place in rows]), styles, topic, dict.fromkeys(ids, 0.5),
        {i: 2.5 if row[0] == "steered" else 2.0 for i, row in zip(ids, rows, strict=True)}, centers,
    )  # fmt: skip
    judged = pl.concat(
        scores.select(
            "request_id",
            judge=pl.lit(judge),
            sees=pl.lit(sees),
            group=column,
            p_target=pl.lit(None, pl.Float64),
            p_question_group=pl.lit(None, pl.Float64),
        )
        for judge, sees, column in (("measured", "style", "nearest"), ("topic", "topic", "topic"))
    )
    # of the other columns nothing is read
    nothing: dict[str, Any] = {name: None if c.nullable else 4 for name, c in schemas.BY_JUDGE.columns.items()}
    nothing |= {"sees": "style", "targets": "own"}
    ceiling, n = CEILING[seed]
    found = [nothing | {"judge": "sfam", "condition": f"c{i}", "ceiling": ceiling} for i in range(n)]
    found.append(nothing | {"judge": "relevance", "condition": "question"})
    values: dict[str, Any] = {
        "choice": {"method": "all", "layers": [1, 2], "alpha": 0.4},
        "weights": {
            "cosines": [
                {"method": method, "mean": mean} for method, mean in (("all", 0.5), ("all", 0.3), ("rotated", 0.9))
            ],
            "named": NAMED[seed],
        },
        "attributes": list(ATTRIBUTES[seed]),
        "planted": {},
    }
    return SeedRun(seed, scores, judged, schemas.BY_JUDGE.frame(found), **{**values, **more})


def write_run(run: SeedRun, folder: Path) -> None:
    """The files of a finished run, of the experiment `main` with a made-up corpus."""
    write_table(run.scores, folder / "scores/main.parquet", schemas.SCORES)
    write_table(run.judged, folder / "scores/main.judged.parquet", schemas.JUDGED)
    write_table(run.by_judge, folder / "comparison/main.judges.parquet", schemas.BY_JUDGE)
    write_json(run.choice, folder / "steering/main.choice.json")
    write_json(run.weights, folder / "steering/main.weights.json")
    catalogue: list[tuple[Any, ...]] = [
        (f"a{i}", name, f"The author uses {name}.", f"You use {name}.", 1, 1, 0.1, [], [], [])
        for i, name in enumerate(run.attributes)
    ]
    write_table(schemas.CATALOGUE.frame(catalogue), folder / "attributes/catalogue.parquet", schemas.CATALOGUE)
    truth = [
        ("a", "dots", 0.8, "distinctive", None),
        ("a", "colons", 0.5, "shared", None),
        ("a", "dashes", 0.1, "base", None),
        ("b", "dashes", 0.8, "distinctive", None),
    ]
    write_table(schemas.TRUTH.frame(truth), folder / "demo/truth.parquet", schemas.TRUTH)
