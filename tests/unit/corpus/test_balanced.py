"""Choosing answers to describe: balanced over groups and splits."""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest

from made_tables import make, samples
from sociolect.common.errors import InputError
from sociolect.corpus.balanced import choose_answers


def test_choice_is_balanced_and_takes_an_answer_once() -> None:
    single = samples(make("sx", "x", "train", 40) + make("sy", "y", "train", 40) + make("vx", "x", "val", 9))
    multi = samples(make("mx", "x", "train", 40) + make("mz", "z", "train", 4) + make("tz", "z", "test", 3))
    askx = samples(make("mx", "x", "train", 20))
    splits = {"single": single, "multi": multi, "askx": askx}
    chosen = choose_answers(splits, n_answers=28, n_heldout=5, seed=1)
    train = chosen.filter(pl.col("part") == "train")
    # z has 4 only; x and y share the other 24, and x takes its 12 from three splits in turn
    assert Counter(train["group"]) == {"x": 12, "y": 12, "z": 4}
    assert Counter(train.filter(pl.col("group") == "x")["split"]) == {"single": 4, "multi": 4, "askx": 4}
    assert Counter(chosen["part"]) == {"train": 28, "val": 5, "test": 3}
    assert chosen["answer_id"].is_unique().all() and chosen["answer_id"].is_sorted()
    shuffled = {s: f.sample(fraction=1.0, shuffle=True, seed=2) for s, f in reversed(splits.items())}
    assert choose_answers(shuffled, 28, 5, 1).equals(chosen)
    more = choose_answers(splits, 40, 5, 1)
    assert set(chosen["answer_id"]) < set(more["answer_id"]), "a larger number only adds"
    assert not choose_answers(splits, 28, 5, 2).equals(chosen)


def test_choice_faults() -> None:
    one, other = samples(make("a", "x", "train", 2)), samples(make("a", "x", "train", 2), "Other {}.")
    with pytest.raises(InputError, match=r"samples of multi, single: answer_id 'a0' has another text"):
        choose_answers({"single": one, "multi": other}, 2, 0, 0)
    with pytest.raises(InputError, match="no answer of part train"):
        choose_answers({"single": samples(make("a", "x", "val", 2))}, 2, 1, 0)
