"""Made-up tables that tests of several folders use: samples, labeled answers, and what requests are planned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.artifacts import vectors
from sociolect.common.schemas import SAMPLES
from sociolect.generation.planning import plan_requests
from sociolect.lm.wordings import open_wording
from sociolect.settings.generation import GenerationSettings

GROUPS = ["art", "law", "med"]


def samples(rows: Sequence[tuple[str, str, str]], text: str = "Text of {}.") -> pl.DataFrame:
    """A table of samples from (answer_id, group, part)."""
    return SAMPLES.frame(
        [(f"q{a}", "What?", a, text.format(a), None if a[-1] == "0" else f"u{a}", g, p) for a, g, p in rows]
    )


def make(prefix: str, group: str, part: str, n: int) -> list[tuple[str, str, str]]:
    """Rows for `samples`: n answers of a group and part."""
    return [(f"{prefix}{i}", group, part) for i in range(n)]


def planted(n: int, shift: float = 0.5, seed: int = 0) -> pl.DataFrame:
    """Three groups with raised scores on 4 attributes each, of 16; every answer of its own author and question."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % 3
    style = rng.uniform(0, 0.5, (n, 16))
    for g in range(3):
        style[group == g, 4 * g : 4 * g + 4] += shift
    return pl.DataFrame(
        {
            "answer_id": [f"a{i:04d}" for i in range(n)],
            "question_id": [f"q{i:04d}" for i in range(n)],
            "author": [None if i % 2 else f"u{i:04d}" for i in range(n)],
            "group": [GROUPS[g] for g in group],
            "part": [("train", "train", "val", "test")[(i // 3) % 4] for i in range(n)],
            "split": ["single"] * n,
        }
    ).with_columns(vectors(style, "style"))


def corpus() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Samples of three groups, the groups and a catalogue."""
    rows = [
        {"question_id": f"q{g}{i}", "question": f"waa {i}", "answer_id": f"{g}{i}{j}", "answer": "x",
         "author": None, "group": g, "part": "test" if i < 4 else "val"}
        for g in ("art", "bio_med", "chem") for i in range(6) for j in range(2)
    ]  # fmt: skip
    samples = pl.DataFrame(rows, schema_overrides={"author": pl.String})
    style = vectors(np.eye(3), "style")
    groups = pl.DataFrame({"group": ["art", "bio_med", "chem"], "style": style}).with_columns(
        pl.Series("distinctive", [["a1", "a0"], ["a2"], []], dtype=pl.List(pl.String))
    )
    catalogue = pl.DataFrame({"attribute_id": ["a0", "a1", "a2"], "attribute": ["wab", "wac", "wad"]})
    return samples, groups, catalogue


def plan(tokenizer: Any, **settings: Any) -> pl.DataFrame:
    """The requests that the settings ask for."""
    samples, groups, catalogue = corpus()
    wording = open_wording(tokenizer, None)
    return plan_requests(samples, groups, catalogue, wording, GenerationSettings(**settings), 1)
