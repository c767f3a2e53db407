"""The comparison by judge, group by group."""

from __future__ import annotations

import polars as pl
import pytest
from explored import HEDGED, LOUD, made_tables

from sociolect.explorer.votes import FIGURES, compact, effects

TABLES = made_tables({"question": LOUD, "steered": HEDGED})


def test_a_group_is_counted_by_itself() -> None:
    # steered texts lie at a: all that aim at a came there, all that aim at b left it
    for group, rate, gain in (("a", 1.0, 1.0), ("b", 0.0, -1.0)):
        rows = TABLES.by_group[group].filter(condition="steered", targets="own", judge="sfam")
        row = rows.row(0, named=True)
        assert (row["n"], row["rate"], row["gain"], row["gain_low"]) == (2, rate, gain, gain)
    whole = TABLES.judges.filter(condition="steered", targets="own", judge="sfam").row(0, named=True)
    assert (whole["n"], whole["rate"]) == (4, 0.5)


def test_an_effect_is_the_mean_over_judges_of_style() -> None:
    # the topic probe sees the question's group throughout: it has no say
    assert effects(TABLES.by_group) == {"a": 1.0, "b": -1.0}
    assert effects({"a": TABLES.judges.clear()}) == {"a": None}


def test_the_page_has_the_figures_of_the_table() -> None:
    found = compact(
        TABLES.judges, {"question": 0, "steered": 1}, {"measured": 0, "relevance": 1, "sfam": 2, "topic": 3}
    )
    row = dict(zip(("judge", "condition", *FIGURES), next(r for r in found["cross"] if r[:2] == [0, 1]), strict=True))
    true = TABLES.judges.filter(judge="measured", condition="steered", targets="cross").row(0, named=True)
    assert {name: row[name] for name in FIGURES} == pytest.approx({name: true[name] for name in FIGURES})
    assert len(found["own"]) == TABLES.judges.filter(pl.col("targets") == "own").height
