"""The topic probe."""

from __future__ import annotations

import numpy as np
import pytest

from sociolect.common.errors import InputError
from sociolect.embedding.judge import TermJudge, fit_judge


def test_judge_knows_words_and_does_not_depend_on_anything_else() -> None:
    texts = ["therefore we measure the energy", "hey so yeah that is cool"] * 10
    groups = ["physicist", "gamer"] * 10
    judge = fit_judge(texts, groups)
    new = ["we therefore measure heat", "yeah hey cool", ""]
    assert list(judge.predict(new))[:2] == ["physicist", "gamer"]
    assert list(judge.predict(new)) == list(fit_judge(texts, groups).predict(new))


def test_judge_needs_two_groups_and_words() -> None:
    with pytest.raises(InputError, match="two groups"):
        fit_judge(["a b"], ["x"])
    with pytest.raises(InputError, match="cannot be fitted"):
        fit_judge(["", " "], ["x", "y"])


def test_terms_that_are_counted_once_give_the_judge_of_texts() -> None:
    rng = np.random.default_rng(0)
    words = ["energy", "heat", "therefore", "yeah", "cool", "hey", "so", "we"]
    texts = [" ".join(rng.choice(words, 6)) for _ in range(80)]
    truth = np.arange(80) % 2
    is_train = np.arange(80) < 60
    counted = TermJudge(texts, is_train)
    rows, asked = np.arange(60), np.arange(60, 80)
    of_texts = fit_judge(texts[:60], [str(g) for g in truth[:60]])
    assert np.allclose(counted.probabilities(truth, rows, asked), of_texts.predict_proba(texts[60:]), atol=1e-5)
    # fitted on a part of them it knows nothing but that part
    half = fit_judge(texts[:30], [str(g) for g in truth[:30]])
    assert np.allclose(counted.probabilities(truth, rows[:30], asked), half.predict_proba(texts[60:]), atol=1e-5)
