"""Pairs of answer and attribute: balanced, never contradictory, some attributes held out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from agreeing import NAMES

from sociolect.common.errors import InputError
from sociolect.common.schemas import PAIRS
from sociolect.settings.sfam import PairSettings
from sociolect.sfam.pairs import attribute_similarity, build_pairs, grade_pairs, held_out_attributes


def described(n: int, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """n answers in three parts, of which each has some of ten attributes; and the catalogue."""
    rng = np.random.default_rng(seed)
    catalogue = pl.DataFrame(
        {"attribute_id": [f"a{k:02d}" for k in range(10)], "attribute": [*NAMES, "w x", "y z", "u v", "s t"]}
    )
    has = rng.random((n, 10)) < np.linspace(0.1, 0.6, 10)
    rows = [[f"a{k:02d}" for k in np.flatnonzero(row)] for row in has]
    parts = ["train" if i % 4 < 2 else "val" if i % 4 == 2 else "test" for i in range(n)]
    frame = pl.DataFrame(
        {"answer_id": [f"i{i:03d}" for i in range(n)], "part": parts, "attributes": rows},
        schema_overrides={"attributes": pl.List(pl.String)},
    )
    return frame, catalogue


def test_pairs_are_balanced_never_contradict_and_do_not_depend_on_row_order() -> None:
    frame, catalogue = described(80)
    settings = PairSettings(pairs_per_answer=8, held_out_share=0.2)
    pairs = build_pairs(frame, catalogue, settings, seed=3)
    said = {(i, a) for i, _, rows in frame.rows() for a in rows}
    for answer, attribute, label, target, kind, _, _ in pairs.rows():
        assert ((answer, attribute) in said) == (label == target == 1) == (kind == "positive")
    drawn = pairs.filter(pl.col("slice") != "random")
    counts = drawn.group_by("answer_id", "held_out").agg(pl.col("label").sum().alias("p"), pl.len().alias("n"))
    assert (counts["p"] * 2 == counts["n"]).all()
    assert counts.filter(~pl.col("held_out"))["n"].max() <= 8  # type: ignore[operator]
    kinds = dict(drawn["slice"].value_counts().rows())
    # where an answer has few attributes left to draw from, all of them are drawn, and the odd one is hard
    assert 0.7 < kinds["easy"] / kinds["hard"] <= 1
    assert set(pairs.filter(pl.col("slice") == "random")["part"]) == {"val", "test"}
    assert build_pairs(frame.sample(fraction=1, shuffle=True, seed=5), catalogue, settings, seed=3).equals(pairs)
    assert pairs.columns == list(PAIRS.columns)


def test_graded_targets_are_the_style_vectors_numbers() -> None:
    frame, catalogue = described(12)
    pairs = build_pairs(frame, catalogue, PairSettings(), seed=3)
    ids, answers = catalogue["attribute_id"].to_list(), frame["answer_id"].to_list()
    style = np.arange(120).reshape(12, 10) / 120
    graded = grade_pairs(pairs, style[::-1], answers[::-1], ids)
    assert graded.drop("target").equals(pairs.drop("target"))
    for answer, attribute, target in graded.select("answer_id", "attribute_id", "target").rows():
        assert target == style[answers.index(answer), ids.index(attribute)]


def test_held_out_attributes_are_never_trained_on() -> None:
    frame, catalogue = described(80)
    pairs = build_pairs(frame, catalogue, PairSettings(held_out_share=0.3), seed=3)
    held = held_out_attributes(catalogue["attribute_id"].to_list(), 0.3, seed=3)
    assert len(held) == 3
    assert set(pairs.filter("held_out")["attribute_id"]) <= held
    assert not held & set(pairs.filter(~pl.col("held_out"))["attribute_id"])
    assert len(held_out_attributes(["a", "b", "c"], 0.89, seed=3)) == 1  # two are left to train on


def test_similar_names_are_hard_negatives() -> None:
    names = ["many commas", "many commas and dots", "greetings", "slang"]
    catalogue = pl.DataFrame({"attribute_id": list("abcd"), "attribute": names})
    frame = pl.DataFrame(
        {"answer_id": [f"i{i}" for i in range(40)], "part": ["train"] * 40, "attributes": [["a"]] * 40}
    )
    pairs = build_pairs(frame, catalogue, PairSettings(pairs_per_answer=2, held_out_share=0.0, hard_share=1.0), 1)
    hard = set(pairs.filter(pl.col("slice") == "hard")["attribute_id"])
    assert "b" in hard and len(hard) == 2
    similarity = attribute_similarity(names, np.ones((3, 4), dtype=bool))
    assert similarity[0, 1] > 0.5 > similarity[0, 2]
    assert np.diag(similarity).sum() == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attributes": [["nowhere"]]}, "'nowhere'"),
        ({"part": ["dev"]}, "'dev'"),
        ({"answer_id": ["i", "i"], "part": ["train"] * 2, "attributes": [["a00"]] * 2}, "'i' is described twice"),
        ({"attributes": [[]]}, "no train answer"),
    ],
)
def test_pairs_refuse(change: dict, message: str) -> None:
    _, catalogue = described(4)
    columns = {"answer_id": ["i"], "part": ["train"], "attributes": [["a00"]]} | change
    frame = pl.DataFrame(columns, schema_overrides={"attributes": pl.List(pl.String)})
    with pytest.raises(InputError, match=message):
        build_pairs(frame, catalogue, PairSettings(), seed=1)
