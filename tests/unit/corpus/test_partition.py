"""Parts of a corpus: disjoint in every case, and little is dropped."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest
from forums import assert_disjoint, forums

from sociolect.corpus.partition import count_units, partition_answers
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
@pytest.mark.parametrize(
    ("rows", "unit", "in_train"),
    [
        # five authors with questions of their own, five questions with authors of their own: five whole components
        ([(f"q{i}", f"u{i % 5}") for i in range(60)], "author", 3),
        ([(f"q{i % 5}", f"u{i}") for i in range(60)], "question_id", 3),
        # four questions are a quarter each, above the limit of .2: all are cut
        ([(f"q{i % 4}", None) for i in range(60)], "question_id", 2),
        # everybody answered the same five questions
        ([(f"q{i}", f"u{u}") for i in range(5) for u in range(12)], "question_id", 3),
    ],
    ids=["authors", "questions", "cut", "crossed"],
)
def test_where_three_units_exist_no_part_is_empty(
    rows: list[tuple[str, str | None]], unit: str, in_train: int, seed: int
) -> None:
    corpus = answers(rows)
    parted = corpus.join(partition_answers(corpus, Parts(), 0.2, seed), on=["split", "answer_id"])
    assert_disjoint({"all": parted})
    units = parted.drop_nulls("part").group_by("part").agg(pl.col(unit).n_unique())
    assert dict(units.iter_rows()) == {"train": in_train, "val": 1, "test": 1}


def test_of_crossed_authors_each_part_has_its_share() -> None:
    # 100 authors answered five questions: a part has its share of authors, and of each the answers to its questions
    corpus = answers([(f"q{i}", f"u{u:03d}") for i in range(5) for u in range(100)])
    parted = corpus.join(partition_answers(corpus, Parts(), 0.2, 0), on=["split", "answer_id"])
    assert dict(parted.group_by("part").agg(pl.col("author").n_unique()).drop_nulls("part").iter_rows()) == {
        "train": 70,
        "val": 15,
        "test": 15,
    }
    assert parted["part"].drop_nulls().len() == 70 * 3 + 15 + 15


def test_a_small_group_does_not_take_the_only_unit_of_another() -> None:
    # g and h share all three questions, and i has one of them alone besides two of its own
    shared = [answers([("q1", None), ("q2", None), ("q3", None)], name) for name in "gh"]
    third = answers([("q1", None), ("q4", None), ("q5", None)], "i")
    parted = pl.concat([*shared, third]).join(
        partition_answers(pl.concat([*shared, third]), Parts(), 1.0, 0), on=["split", "answer_id"]
    )
    assert (parted.group_by("group").agg(pl.col("part").n_unique())["part"] == 3).all()


def test_units_by_hand() -> None:
    rows = [("q1", "u1"), ("q2", "u1"), ("q3", "u2"), ("q4", None), ("q4", None), ("q5", "u3"), ("q3", "u3")]
    assert count_units(answers(rows)) == 3


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
