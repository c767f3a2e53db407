"""Small tables of a whole run, for its report."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from swept import sweep

from made_tables import judge_rows
from sociolect.common import schemas
from sociolect.common.artifacts import vectors
from sociolect.generation.conditions import CONTROLS, ROWS
from sociolect.report.run_tables import ExperimentTables, RunTables

GROUPS = ("a<b>", "c")
NAME = "x" * 70  # of an attribute


def comparison(*rows: dict[str, Any], conditions: tuple[str, ...] = ROWS) -> pl.DataFrame:
    """COMPARISON of ten texts a row; `rows` give a condition other values."""
    counts = {"n": 10, "n_eligible": 6, "n_zero": 0, "n_ties": 0, "n_empty": 0, "n_truncated": 0}
    rates = {"hit_rate": 0.4, "hit_rate_low": 0.2, "hit_rate_high": 0.6, "topic_rate": 0.5, "away_rate": 0.125,
             "eos_rate": 1.0, "stop_rate": 0.0, "log_perplexity": 2.0}  # fmt: skip
    other = {row["condition"]: row for row in rows}
    plain = dict.fromkeys(schemas.COMPARISON.columns) | counts | rates
    return schemas.COMPARISON.frame([plain | {"condition": c} | other.get(c, {}) for c in conditions])


def contrasts(*rows: tuple[str, str, float, float, float]) -> pl.DataFrame:
    """CONTRASTS of the hit rate over five questions: condition, against, difference, low, high."""
    return schemas.CONTRASTS.frame([(c, a, "hit_rate", d, low, high, 5) for c, a, d, low, high in rows])


def groups() -> pl.DataFrame:
    """GROUPS: two, of which the second has no attribute of its own."""
    frame = pl.DataFrame(
        {"group": GROUPS, "n_answers": [3, 4], "n_authors": [2, 2], "distinctive": [["a0"], []],
         "distinctive_gap": [[0.5], []], "distinctive_frequency": [[1.0], []]}
    )  # fmt: skip
    points = {name: np.eye(2) for name in ("style", "mean_style", "usage", "embedding")}
    return frame.with_columns(vectors(v, name) for name, v in points.items()).select(list(schemas.GROUPS.columns))


def experiment(name: str = "main") -> ExperimentTables:
    """An experiment with every table that a figure is drawn of."""
    pairs = [(GROUPS[0], GROUPS[1], 1.5, 1.0, 1.5, 0.8, True), (GROUPS[1], GROUPS[0], 1.5, 1.0, 1.5, 0.8, True)]
    accuracy: list[tuple[Any, ...]] = [
        ("net", "leaf", "all", "test", m, None, None, 0.75, 0.5, 40) for m in ("nearest_group", "macro", "pairwise")
    ]
    accuracy += [("net", "leaf", "all", "test", "confusion", g, o, 0.5, None, 20) for g in GROUPS for o in GROUPS]
    nearest = [(source, g, GROUPS[0], 6, 1.0) for source in ("human", "model") for g in GROUPS]
    points = pl.DataFrame(
        {"answer_id": [f"t{i}" for i in range(6)], "split": "single", "part": "test", "group": GROUPS * 3}
    )
    seen = [
        {"judge": judge, "sees": sees, "condition": c, "targets": targets, "gain": 0.25, "stay_gain": 0.0, "rate": 0.5}
        for judge, sees in (("sfam", "style"), ("topic", "topic"), ("relevance", "question"))
        for c in ("question+group", "steered", "steered (random)")
        for targets in ("own", "cross")
    ]
    heaviest = [
        {"attribute_id": "a0", "weight": 0.75, "attribute": NAME},
        {"attribute_id": "a1", "weight": 0.25, "attribute": "y"},
    ]
    return ExperimentTables(
        name,
        ("single",),
        "askx",
        comparison=comparison({"condition": "steered", "log_perplexity": 2.5}),
        controls=comparison(conditions=CONTROLS),
        contrasts=contrasts(
            *((c, "question", 0.25, 0.125, 0.375) for c in ROWS[1:]), ("steered", "steered (random)", 0.2, 0.1, 0.3)
        ),
        accuracy=schemas.ACCURACY.frame(accuracy),
        embeddings=points.with_columns(vectors(np.random.default_rng(1).normal(size=(6, 3)), "embedding")),
        distances=schemas.GROUP_DISTANCES.frame(pairs),
        sweep=sweep(),
        groups=groups().with_columns(vectors(np.eye(2, 3), "embedding")),
        nearest=schemas.NEAREST.frame(nearest),
        judges=judge_rows(*seen),
        judge_contrasts=schemas.CONTRASTS.empty(),
        weights={"groups": {g: {"all": {"n_eff": 1.6, "heaviest": heaviest}} for g in GROUPS}},
        choice={"method": "all", "why": "all at blocks 1", "fluent": True, "methods": {"all": {"inside": True}}},
    )


def run() -> RunTables:
    """What the experiments share: a split with two groups, six sentences, an SFAM with a student."""
    sampling = [("single", g, "all", "corpus", 100, 90) for g in GROUPS]
    sampling += [("single", GROUPS[0], part, "drawn", n, n) for part, n in (("train", 40), ("val", 10), ("test", 10))]
    slices = {"n": 9, "n_positive": 4, "f1": 0.8, "auroc": 0.9, "ece": 0.1, "accuracy": 0.8}
    return RunTables(
        "demo",
        {"lm": "scratch"},
        took={"train_sfam": (2.0, 1), "label_answers": (0.5, 8)},
        gpus={"train_sfam": 2},
        funnel=schemas.CATALOGUE_FUNNEL.frame([("too_long", 1, 5, "z"), ("negation", 0, 5, None)]),
        sampling=schemas.SAMPLING_FUNNEL.frame(sampling),
        steps=schemas.SFAM_STEPS.frame([(10, 0.7, 0.5), (20, 0.6, 0.65)]),
        fidelity=schemas.FIDELITY.frame(
            [("a0", "x", 0.9, 0.9, 0.1, 0.4, 0.5, 30), ("a1", "y", 0.7, 0.6, 0.1, 0.2, 0.3, 30)]
        ),
        metrics={"threshold": 0.5, "val": slices, "held_out_attributes": {"all": slices | {"auroc": 0.5}}},
    )
