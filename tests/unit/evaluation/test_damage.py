"""Repetition measures."""

from __future__ import annotations

import pytest

from sociolect.evaluation.damage import distinct, distinct_across, longest_repeat, words_of


def test_words() -> None:
    assert words_of("Don't stop -- DON’T, 3 times!") == ["don't", "stop", "don’t", "3", "times"]
    assert words_of(" ... ") == []


def test_distinct_by_hand() -> None:
    words = ["a", "b", "a", "b", "c"]
    assert distinct(words, 1) == pytest.approx(3 / 5)
    assert distinct(words, 2) == pytest.approx(3 / 4)  # ab ba ab bc
    assert distinct(words, 3) == 1.0
    assert distinct(["a"], 2) is None


def test_distinct_across_texts_by_hand() -> None:
    # ab bc | ab | nothing: two of three pairs; no pair spans two texts
    assert distinct_across([["a", "b", "c"], ["a", "b"], ["c"]], 2) == pytest.approx(2 / 3)
    texts = [["a", "b"]] * 4
    # each text is as distinct as can be, and they all say the same
    assert {distinct(text, 2) for text in texts} == {1.0} and distinct_across(texts, 2) == 0.25
    assert distinct_across([["a"], []], 2) is None and distinct_across([], 1) is None


@pytest.mark.parametrize(
    ("text", "share"), [("a b c d", 0.0), ("a b c a b", 2 / 5), ("a a a a", 3 / 4), ("x a b c y a b c", 3 / 8)]
)
def test_longest_repeat_by_hand(text: str, share: float) -> None:
    assert longest_repeat(text.split()) == pytest.approx(share)


def test_no_words_have_no_repetition() -> None:
    assert longest_repeat([]) is None and distinct([], 1) is None
