"""Forums: corpora of questions, answers and authors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from sociolect.common.schemas import CORPUS

COLUMNS = list(CORPUS.columns)


def forum(group: str, n: int, seed: int, n_authors: int = 60, prefix: str = "") -> pl.DataFrame:
    """A corpus of n questions with one to four answers; few authors write most, a tenth are unknown."""
    rng = np.random.default_rng(seed)
    rows = []
    for q in range(n):
        for a in range(rng.integers(1, 5)):
            author = min(int(rng.zipf(1.5)) - 1, n_authors - 1)
            name = None if rng.random() < 0.1 else f"{group}-u{author}"
            rows.append((f"{prefix}{group}-q{q}", f"text {group} {q}", f"{prefix}{group}-q{q}-{a}", "ok", name, group))
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def forums() -> dict[str, pl.DataFrame]:
    """Three forums; the questions of askx are in part those of multi, and single shares authors with both."""
    multi = pl.concat([forum(g, 150, seed) for seed, g in enumerate("abc")])
    shared = multi.filter(pl.col("question_id").str.contains(r"q\d\d$"))
    extra = pl.concat([forum(g, 60, 10 + seed, prefix="x-") for seed, g in enumerate("abc")])
    return {
        "single": pl.concat([forum(g, 150, 20 + seed, prefix="s-") for seed, g in enumerate("abc")]).unique(
            "question_id", keep="first", maintain_order=True
        ),
        "multi": multi,
        "askx": pl.concat([shared, extra]),
    }


def parts_of(frame: pl.DataFrame, key: str) -> dict[str, set[str]]:
    named = frame.drop_nulls([key, "part"])
    return {name: set(parts) for name, parts in named.group_by(key).agg("part").iter_rows()}


def assert_disjoint(samples: Mapping[str, pl.DataFrame]) -> None:
    together = pl.concat(list(samples.values()))
    for key in ("question_id", "author", "answer_id"):
        assert all(len(parts) == 1 for parts in parts_of(together, key).values()), key
