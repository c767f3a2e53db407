"""The study's table and what it says, by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sociolect.common.artifacts import check_table
from sociolect.common.schemas import STUDY, STUDY_ANSWERS
from sociolect.settings.study import REFERENCE, StudySettings, embedding_cells
from sociolect.study.study_findings import study_findings, study_page
from sociolect.study.study_table import study_table


def told(pairs: list[tuple[str, str, str, float]], center: str = "mean_embedding", seed: int = 0) -> pl.DataFrame:
    """Test answers from (answer, question, group, share of pairs)."""
    return STUDY_ANSWERS.frame(
        [(a, q, "test", g, g if p == 1 else "other", p, center, "leaf", seed) for a, q, g, p in pairs]
    )


def test_table_by_hand() -> None:
    # groups g (three answers) and h (one): the mean over groups of shares, whatever their sizes
    one = told([("1", "q", "g", 1.0), ("2", "q", "g", 0.0), ("3", "r", "g", 0.5), ("4", "s", "h", 1.0)])
    # another net of the same cell
    two = told([("1", "q", "g", 1.0), ("2", "q", "g", 1.0), ("3", "r", "g", 1.0), ("4", "s", "h", 0.0)], seed=1)
    worse = told([("1", "q", "g", 0.0), ("2", "q", "g", 0.0), ("3", "r", "g", 0.0), ("4", "s", "h", 0.5)])
    cells = {REFERENCE: embedding_cells()[REFERENCE], "loss-triplet": embedding_cells()["loss-triplet"]}
    table = study_table({REFERENCE: pl.concat([one, two]), "loss-triplet": worse}, cells, StudySettings(), 1)
    check_table(table, STUDY, "study")
    first, second = table.to_dicts()
    # one: (1.5 / 3 + 1) / 2 = .75; two: (1 + 0) / 2 = .5
    assert first["pairwise"] == pytest.approx(0.625) and first["difference"] is None
    assert first["spread"] == pytest.approx(np.std([0.75, 0.5], ddof=1))
    # right at once: (1 / 3 + 1) / 2 and (1 + 0) / 2
    assert first["macro"] == pytest.approx((4 / 6 + 0.5) / 2)
    assert second["pairwise"] == pytest.approx(0.25) and second["difference"] == pytest.approx(0.25 - 0.625)
    assert (first["n"], first["seeds"], second["seeds"], second["spread"]) == (4, 2, 1, None)


def test_differences_are_paired_and_said_in_words() -> None:
    rng = np.random.default_rng(0)
    base = [(str(i), f"q{i // 2}", "gh"[i % 2], float(rng.integers(0, 2))) for i in range(200)]
    # every answer a little better: far smaller than the interval of either, but the same everywhere
    better = [(a, q, g, p + 0.01) for a, q, g, p in base]
    cells = embedding_cells()
    test = {REFERENCE: told(base), "loss-triplet": told(better, "median"), "pool-disjoint-cross_entropy": told(base)}
    # val says the same
    answers = {name: pl.concat([rows, rows.with_columns(part=pl.lit("val"))]) for name, rows in test.items()}
    table = study_table(answers, cells, StudySettings(resamples=300), 1)
    row = table.filter(pl.col("cell") == "loss-triplet", pl.col("part") == "test").row(0, named=True)
    assert row["high"] - row["low"] > 0.1
    assert row["difference_low"] == pytest.approx(0.01) and row["difference_high"] == pytest.approx(0.01)
    said = study_findings(table, StudySettings().axes)
    assert any("triplet: " in line and line.endswith(": better.") for line in said["Which loss?"])
    assert said["Which loss?"][-1].startswith("Val chooses triplet (")
    # what it is compared with is not there: a figure, and no difference
    pool = next(lines for question, lines in said.items() if "pool" in question)
    assert "minus" not in pool[0]
    page = study_page(table, "sites", StudySettings(resamples=300))
    assert "of 200 test answers" in page and page.count("| loss | triplet |") == 1
    again = study_table(dict(reversed(answers.items())), cells, StudySettings(resamples=300), 1)
    assert again.sort("cell", "part").equals(table.sort("cell", "part")), "the order of the cells changes no figure"
