"""Relevance by hand, and what changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from sociolect.common.errors import InputError
from sociolect.judges.relevance import relevances

# four words of the same weight
FIT_ON = ["bread oven", "rain wind"]
OVEN, RAIN, BOTH = "Which oven for bread?", "And the rain?", "Is there rain, or WIND?"


def test_three_texts_by_hand() -> None:
    # cosines with OVEN (oven, bread), RAIN (rain), BOTH (rain, wind), r = sqrt(.5):
    #   bread oven  1 0 0   of OVEN: both others are smaller                     1
    #   wind rain   0 r 1   of RAIN: one is smaller, one larger                  .5
    #   bread       r 0 0   of BOTH: one is larger, one equal, which counts half .25
    texts = ["Bread from an oven.", "Wind with rain", "bread BREAD!"]
    found = relevances(texts, [OVEN, RAIN, BOTH], FIT_ON)
    np.testing.assert_allclose(found, [1, 0.5, 0.25])


def test_a_text_of_no_known_word_is_at_chance_and_an_empty_one_says_nothing() -> None:
    found = relevances(["The xylophone is there.", " ", "wind"], [OVEN, RAIN, BOTH], FIT_ON)
    np.testing.assert_array_equal(found, [0.5, np.nan, 1])


def test_order_and_repetition_change_nothing() -> None:
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(40)]
    questions = [" ".join(rng.choice(words, 4)) for _ in range(30)]
    texts = [f"{' '.join(rng.choice(words, 10))} {question[:12]}" for question in questions]
    # longer than what is held at once
    many = relevances(texts * 40, questions * 40, texts)
    np.testing.assert_array_equal(many, np.tile(many[:30], 40))
    order = rng.permutation(30)
    found = relevances([texts[i] for i in order], [questions[i] for i in order], texts[::-1])
    np.testing.assert_array_equal(found, many[order])
    assert many[:30].mean() > 0.7
    # over all questions that a text may be put to, chance
    np.testing.assert_allclose(relevances(texts[:1] * 30, questions, texts).mean(), 0.5)


def test_one_question_or_no_words_are_errors() -> None:
    with pytest.raises(InputError, match="two distinct questions"):
        relevances(["a", "b"], [OVEN, OVEN], FIT_ON)
    with pytest.raises(InputError, match="weight the words"):
        relevances(["a", "b"], [OVEN, RAIN], ["the", ""])
