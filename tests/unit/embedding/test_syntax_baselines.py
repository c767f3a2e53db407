"""Baselines of syntax, on answers whose groups differ in syntax alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sociolect.common.errors import InputError
from sociolect.common.schemas import TAGGED
from sociolect.embedding.baselines import baseline_probabilities
from sociolect.embedding.syntax_baselines import dense_block, gram_block
from sociolect.syntax.grams import pos_text

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = ("pos_logreg", "posnoise_logreg", "syntax_logreg", "style_syntax_logreg")
N = 240


def made_up() -> tuple[pl.DataFrame, list[str]]:
    """Answers of ten tokens: group x mostly puts adjectives before its nouns, group y behind them."""
    rng = np.random.default_rng(5)
    rows, groups = [], []
    for number in range(N):
        group = "xy"[number % 2]
        own = ["ADJ", "NOUN"] if group == "x" else ["NOUN", "ADJ"]
        pos = [p for _ in range(5) for p in (own if rng.random() < 0.9 else rng.permutation(own).tolist())]
        letter = {"ADJ": "J", "NOUN": "N"}
        rows.append(
            {
                "answer_id": f"a{number}",
                "pos": pos,
                "tag": [{"ADJ": "JJ", "NOUN": "NN"}[p] for p in pos],
                "dep": ["ROOT"] * 10,
                "head": [0] * 10,
                "start": [True] + [False] * 9,
                "noised": [letter[p] for p in pos],
            }
        )
        groups.append(group)
    return TAGGED.frame(rows), groups


def told_apart(tagged: pl.DataFrame, groups: list[str]) -> dict[str, float]:
    """Accuracy of each baseline on the last third."""
    parts = np.repeat(["train", "val", "test"], N // 3)
    found = baseline_probabilities(
        ["the same text"] * N, np.zeros((N, 2)), groups, parts == "train", None, tagged, parts == "val"
    )
    test = parts == "test"
    truth = np.array(groups) == "y"
    return {name: float(((p[:, 1] > 0.5) == truth)[test].mean()) for name, p in found.items()}


def test_what_differs_in_syntax_alone_is_seen_by_the_baselines_of_syntax_alone() -> None:
    tagged, groups = made_up()
    found = told_apart(tagged, groups)
    for name in NAMES:
        assert found[name] > 0.8, name
    assert {found[name] for name in ("tfidf_logreg", "style_only_logreg", "stylometry_logreg")} == {0.5}
    permuted = np.random.default_rng(1).permutation(groups).tolist()
    nothing = told_apart(tagged, permuted)
    assert all(0.2 <= nothing[name] <= 0.8 for name in NAMES)


def test_without_tagged_answers_the_baselines_are_those_of_before() -> None:
    parts = np.array(["train"] * 4)
    found = baseline_probabilities(
        ["some cats", "big dogs", "some cats", "big dogs"], np.eye(4), ["x", "y", "x", "y"], parts == "train"
    )
    assert list(found) == ["majority", "tfidf_logreg", "style_only_logreg", "stylometry_logreg", "style_vector_logreg"]


def test_blocks_are_fitted_on_train_alone() -> None:
    tagged, _ = made_up()
    is_train = np.arange(N) < 30
    turned = pl.concat([tagged[:30], tagged[30:].reverse()])

    def grams(table: pl.DataFrame) -> np.ndarray:
        return np.asarray(gram_block(pos_text(table), "pos", is_train).toarray())

    def numbers(table: pl.DataFrame) -> np.ndarray:
        return dense_block(lengths(table), is_train)

    for block in (grams, numbers):
        assert np.array_equal(block(tagged)[:30], block(turned)[:30])
        assert np.array_equal(block(tagged)[30:], block(turned)[30:][::-1])
    # a feature that does not vary in train, and one far outside of it
    scaled = dense_block(np.array([[1.0, 0.0], [1.0, 2.0], [9.0, 99.0]]), np.array([True, True, False]))
    assert scaled == pytest.approx(np.array([[0, -1], [0, 1], [5, 5]]) / np.sqrt(2))
    with pytest.raises(InputError, match="no n-gram of pos is in two of them"):
        gram_block([""] * N, "pos", is_train)


def lengths(tagged: pl.DataFrame) -> np.ndarray:
    """Some numbers of an answer."""
    adjectives = tagged["pos"].list.eval(pl.element() == "ADJ").list.sum().to_numpy()
    return np.column_stack([adjectives, adjectives**2]).astype(np.float64)
