"""Made-up tables that tests of several folders use: samples, labeled answers, and what requests are planned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from sociolect.common import schemas
from sociolect.common.artifacts import vectors
from sociolect.common.schemas import SAMPLES
from sociolect.generation.planning import Prompting, examples_of, plan_requests
from sociolect.lm.wordings import Wording, open_wording
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


ASKED = ["art", "bio_med", "chem"]
STYLES = {"art": ["wac", "wab"], "bio_med": ["wad"], "chem": ["wab"]}
# method -> groups that it can steer
METHODS = {"all": ASKED, "distinctive": ["art", "bio_med"]}


def corpus() -> pl.DataFrame:
    """Samples of three groups: four questions to test, two to val and two to train on, with two answers each."""
    parts = ["test"] * 4 + ["val"] * 2 + ["train"] * 2
    rows = [
        {"question_id": f"q{g}{i}", "question": f"waa {i}", "answer_id": f"{g}{i}{j}", "answer": f"wba {j}",
         "author": None, "group": g, "part": part}
        for g in ASKED for i, part in enumerate(parts) for j in range(2)
    ]  # fmt: skip
    return SAMPLES.frame(rows)


def prompting(wording: Wording, context: int | None = 64) -> Prompting:
    """What prompts are made of, for a model of this context."""
    best = wording.worded(group_instruction="Be {group}.", attributes_instruction="Say {attribute}.")
    return Prompting(wording, best, STYLES, examples_of(corpus(), ASKED, 2, 100), context)


def plan(tokenizer: Any, **settings: Any) -> pl.DataFrame:
    """The requests that the settings ask for."""
    made = prompting(open_wording(tokenizer, None))
    return plan_requests(corpus(), ASKED, METHODS, made, GenerationSettings(**{"max_new_tokens": 12, **settings}), 1)


def judge_rows(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """BY_JUDGE with these values; a gain comes with an interval of a hundredth to both sides unless it is given."""
    plain = dict.fromkeys(schemas.BY_JUDGE.columns) | {"targets": "cross", "condition": "steered", "n": 10}
    found = []
    for row in rows:
        around = {
            f"{name}{end}": row[name] + by
            for name in ("gain", "stay_gain")
            for end, by in (("_low", -0.01), ("_high", 0.01))
            if row.get(name) is not None
        }
        found.append({**plain, **around, **row})
    return schemas.BY_JUDGE.frame(found)
