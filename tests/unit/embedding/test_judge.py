"""The independent judge."""

from __future__ import annotations

import pytest

from sociolect.common.errors import InputError
from sociolect.embedding.judge import fit_judge, judge_groups


def test_judge_knows_words_and_does_not_depend_on_anything_else() -> None:
    texts = ["therefore we measure the energy", "hey so yeah that is cool"] * 10
    groups = ["physicist", "gamer"] * 10
    judge = fit_judge(texts, groups)
    new = ["we therefore measure heat", "yeah hey cool", ""]
    assert judge_groups(judge, new)[:2] == ["physicist", "gamer"]
    assert judge_groups(judge, new) == judge_groups(fit_judge(texts, groups), new)
    assert judge_groups(judge, []) == []


def test_judge_needs_two_groups_and_words() -> None:
    with pytest.raises(InputError, match="two groups"):
        fit_judge(["a b"], ["x"])
    with pytest.raises(InputError, match="cannot be fitted"):
        fit_judge(["", " "], ["x", "y"])
