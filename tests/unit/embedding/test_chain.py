"""The table along the chain on vectors whose accuracies are known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from made_tables import GROUPS, planted
from sociolect.common.artifacts import check_table, matrix
from sociolect.common.schemas import CHAIN
from sociolect.embedding.accuracy import measure_groups
from sociolect.embedding.chain import Link, chain_table, classified, links
from sociolect.embedding.resampling import Resampled

pytestmark = pytest.mark.usefixtures("one_thread")


def truth_of(frame: pl.DataFrame) -> np.ndarray:
    return np.array([GROUPS.index(g) for g in frame["group"]])


def test_pairwise_is_that_of_the_accuracies_and_a_resample_is_the_same_answers_repeated() -> None:
    rng = np.random.default_rng(5)
    near, truth, questions = rng.integers(0, 3, (60, 3)).astype(float), rng.integers(0, 3, 60), rng.integers(0, 20, 60)

    def plain(rows: np.ndarray) -> float:
        return next(r["value"] for r in measure_groups(near[rows], truth[rows], GROUPS) if r["measure"] == "pairwise")

    boot = Resampled(questions.astype(str), truth, 3, 8, 0.95, seed=1)
    found = boot.pairwise(near)
    assert found[0] == pytest.approx(plain(np.arange(60)))
    for drawn, value in zip(boot.counts[1:], found[1:], strict=True):
        assert value == pytest.approx(plain(np.repeat(np.arange(60), drawn[boot.question].astype(int))))


def test_what_is_lost_is_what_was_planted() -> None:
    frame = planted(600)
    truth = truth_of(frame)
    right = -np.eye(3)[truth]
    # every fifth answer of test is nearest to a wrong group, the next: it loses both of its group's pairs or one
    wrong = right.copy()
    spoilt = np.flatnonzero((frame["part"] == "test").to_numpy())[::5]
    wrong[spoilt] = -2.0 * np.eye(3)[(truth[spoilt] + 1) % 3]
    table = chain_table(frame, [Link("a", right, 3), Link("b", wrong, 2)], GROUPS, 400, 0.95, 1)
    check_table(table, CHAIN, "chain")
    rows = {(r["stage"], r["part"]): r for r in table.filter(pl.col("split") == "all").iter_rows(named=True)}
    assert rows["a", "test"]["value"] == 1.0 and rows["a", "test"]["lost"] is None
    # of the two pairs that an answer is in it loses one, and ties at the other where it is the larger group
    assert rows["b", "test"]["lost"] == pytest.approx(1.0 - rows["b", "test"]["value"])
    assert 0.1 <= rows["b", "test"]["lost"] <= 0.2
    assert 0 < rows["b", "test"]["lost_low"] < rows["b", "test"]["lost"] < rows["b", "test"]["lost_high"]
    assert rows["b", "val"]["lost"] == rows["b", "val"]["lost_low"] == rows["b", "val"]["lost_high"] == 0.0
    assert (rows["b", "test"]["n"], rows["b", "test"]["width"]) == (150, 2)


def test_stages_in_order_and_a_shuffled_one_is_chance() -> None:
    frame = planted(1200, shift=0.4)
    truth, style = truth_of(frame), matrix(frame["style"])
    shuffled = np.random.default_rng(1).permutation(style)
    is_train = (frame["part"] == "train").to_numpy()
    near = -np.eye(3)[truth]
    found = links(style, style, {"SFAM scores": shuffled}, style[:, :6], near, truth, is_train)
    assert [(link.stage, link.width) for link in found] == [
        ("raw measures", 16),
        ("attributes as described", 16),
        ("SFAM scores", 16),
        ("embedding, by regression", 6),
        ("embedding, nearest group", 6),
    ]
    table = chain_table(frame, found, GROUPS, 300, 0.95, 1).filter(part="test", split="all")
    raw, said, shuffle, embedded, rule = table["value"].to_list()
    assert raw > 0.95 and said > 0.9 and embedded > 0.7 and rule == 1.0
    assert table["low"][2] < 0.5 < table["high"][2] and abs(shuffle - 0.5) < 0.08
    assert table["lost"][2] == pytest.approx(said - shuffle)


def test_labels_permuted_within_train_give_chance() -> None:
    frame = planted(1200)
    truth, is_train = truth_of(frame), (frame["part"] == "train").to_numpy()
    learned = truth.copy()
    learned[is_train] = np.random.default_rng(2).permutation(truth[is_train])
    table = chain_table(
        frame, [classified("style", matrix(frame["style"]), learned, is_train)], GROUPS, 300, 0.95, 1
    ).filter(part="test", split="all")
    assert table["low"][0] < 0.5 < table["high"][0]
