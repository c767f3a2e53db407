"""Parts of a corpus: disjoint in every case, and little is dropped."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest
from forums import assert_disjoint, forums

from sociolect.corpus.partition import partition_answers
from sociolect.settings.corpus import Parts

HALVES = Parts(train=0.5, val=0.25, test=0.25)
TENTHS = Parts(train=0.6, val=0.2, test=0.2)


def answers(rows: Sequence[tuple[str, str | None]], group: str = "g", split: str = "single") -> pl.DataFrame:
    """One answer per (question, author), numbered, of weight 1."""
    return pl.DataFrame(
        [(split, q, f"{group}-a{i:04d}", u, group, 1.0) for i, (q, u) in enumerate(rows)],
        schema={
            "split": pl.String,
            "question_id": pl.String,
            "answer_id": pl.String,
            "author": pl.String,
            "group": pl.String,
            "weight": pl.Float64,
        },
        orient="row",
    )


def test_partition_by_hand() -> None:
    # per group: components of 4, 2 and 2 answers fit 1/2, 1/4, 1/4 exactly
    def group(name: str) -> pl.DataFrame:
        chain = [("q1", "u1"), ("q2", "u1"), ("q2", "u2"), ("q3", "u2"), ("q4", "u4"), ("q5", "u4"), ("q6", None)]
        rows = [(name + q, u and name + u) for q, u in [*chain, ("q6", None)]]
        return answers(rows, name)

    parted = partition_answers(pl.concat([group("g"), group("h")]), HALVES, 0.5, seed=3)
    joined = parted["part"].to_list()
    for name, parts in (("g", joined[:8]), ("h", joined[8:])):
        assert parts[:4] == ["train"] * 4, name
        assert {parts[4], parts[6]} == {"val", "test"} and parts[4:6] == [parts[4]] * 2 and parts[6] == parts[7]


def test_unknown_authors_join_nothing() -> None:
    parted = partition_answers(answers([(f"q{i}", None) for i in range(8)]), HALVES, 0.2, seed=0)
    assert sorted(parted["part"].to_list()) == ["test"] * 2 + ["train"] * 4 + ["val"] * 2


def test_heavy_components_do_not_all_go_to_train() -> None:
    # ten authors with ten questions each: 6, 2 and 2 of them
    rows = [(f"q{u}-{i}", f"u{u}") for u in range(10) for i in range(10)]
    parted = partition_answers(answers(rows), TENTHS, 0.1, seed=0)
    assert parted["part"].null_count() == 0
    assert dict(parted.group_by("part").len().iter_rows()) == {"train": 60, "val": 20, "test": 20}


def test_a_giant_component_is_cut_with_the_dropped_count_by_hand() -> None:
    # One author of all ten questions: 6, 2 and 2 questions, the author is in one part, so at most 6 answers stay.
    star = answers([(f"q{i}", "u") for i in range(10)])
    parted = partition_answers(star, TENTHS, 0.2, seed=0)
    assert parted["part"].null_count() == 4
    assert set(parted["part"].drop_nulls()) == {"train"}
    # At the limit it stays whole.
    assert partition_answers(star, TENTHS, 1.0, seed=0)["part"].n_unique() == 1


def test_a_cut_along_the_seam_drops_only_the_bridge() -> None:
    # Ten separate authors, tied into one component by one author who answers a question of each.
    rows = [(f"q{u}-{i}", f"u{u}") for u in range(10) for i in range(10)]
    bridge = [(f"q{u}-0", "bridge") for u in range(10)]
    parted = partition_answers(answers(rows + bridge), TENTHS, 0.2, seed=0)
    # The best cut drops 4, random parts of questions and authors 62.
    assert 4 <= parted["part"].null_count() <= 11


def test_the_limit_is_per_group_and_split() -> None:
    # the component is 1 of 11 questions of group g, but all of group h
    many = answers([(f"q{i}", None) for i in range(10)])
    small = answers([("h1", "u"), ("h2", "u"), ("h3", "u"), ("h4", "u")], "h")
    link = answers([("g1", "u")], "g2").with_columns(group=pl.lit("g"))
    parted = partition_answers(pl.concat([many, small, link]), HALVES, 0.5, seed=0)
    assert parted.filter(pl.col("part").is_null()).height == 2


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("share", [0.05, 0.2, 1.0])
def test_partition_is_disjoint_over_splits_in_every_case(seed: int, share: float) -> None:
    rows = pl.concat([f.with_columns(split=pl.lit(s), weight=pl.lit(1.0)) for s, f in forums().items()])
    parted = rows.join(partition_answers(rows, HALVES, share, seed), on=["split", "answer_id"])
    assert_disjoint({"all": parted})
    # a question or author without a conflict keeps all answers: nothing is dropped that need not be
    if share == 1.0:
        assert parted["part"].null_count() == 0


def test_a_cut_forum_keeps_most_and_leaves_no_part_small() -> None:
    rows = pl.concat([f.with_columns(split=pl.lit(s), weight=pl.lit(1.0)) for s, f in forums().items()])
    parted = rows.join(partition_answers(rows, HALVES, 0.2, 0), on=["split", "answer_id"])
    counts = parted.group_by("split", "group", "part").len()
    sizes = {(s, g, p): n for s, g, p, n in counts.iter_rows()}
    for split, group in {(s, g) for s, g, _ in sizes}:
        kept = {p: sizes[split, group, p] for p in ("train", "val", "test")}
        # random parts of questions and authors would keep 1/4 + 1/16 + 1/16
        assert sum(kept.values()) > 0.55 * (sum(kept.values()) + sizes.get((split, group, None), 0))
        assert min(kept.values()) > 0.05 * sum(kept.values())
