"""Questions of a part, and other groups for them."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import polars as pl
import pytest

from made_tables import ASKED, corpus
from sociolect.common.errors import InputError
from sociolect.corpus.questions import next_group, other_groups, questions_of


def test_questions_of_a_part_once_each_in_an_order_of_their_own() -> None:
    samples = corpus()
    whole = questions_of(samples, ASKED, "test", None)
    assert whole.group_by("group").len().sort("group").rows() == [(group, 4) for group in ASKED]
    assert set(whole.rows()) == set(
        samples.filter(pl.col("part") == "test").select("question_id", "question", "group").rows()
    )
    few = questions_of(samples.sample(fraction=1, shuffle=True, seed=1), ASKED[::-1], "test", 2)
    # the first of each group, whatever the order of rows and names
    assert few.equals(whole.filter(pl.int_range(pl.len()).over("group") < 2))
    assert questions_of(samples, ["art"], "val", 9)["question_id"].sort().to_list() == ["qart4", "qart5"]
    with pytest.raises(InputError, match=r"group 'dance' has no val question; raise sampling\.parts\.val"):
        questions_of(samples, ["art", "dance"], "val", None)


def test_each_pair_of_groups_is_asked_for_as_often() -> None:
    names = ["d", "a", "c", "b"]
    # questions of groups lie mixed, and each group has two rounds of its three others
    questions = pl.DataFrame({"group": names * 6})
    pairs = Counter(zip(questions["group"], other_groups(questions, names), strict=True))
    assert pairs == dict.fromkeys(permutations("abcd", 2), 2)
    # at any point no pair is ahead of another of the same group by more than one
    found = other_groups(questions, names)
    for n in range(len(found)):
        counts = Counter(pair for pair in zip(questions["group"][:n], found[:n], strict=True))
        for group in names:
            own = [counts[group, other] for other in names if other != group]
            assert max(own) - min(own) <= 1
    # the first others differ from group to group
    assert other_groups(questions[:4], names) == ["a", "b", "d", "c"]


def test_next_group_goes_round_and_names_no_group_itself() -> None:
    assert [next_group(group, ["c", "a", "b"]) for group in "abc"] == ["b", "c", "a"]
    assert next_group("b", ["a", "c"]) == "c", "a group that is not there has a next one, too"
    assert next_group("a", ["a"]) is None and next_group("a", []) is None
