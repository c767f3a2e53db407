"""Answers with planted attributes."""

from __future__ import annotations

import numpy as np
import pytest

from sociolect.corpus.demo.prose import MAX_WORDS, MIN_WORDS, write_answer
from sociolect.corpus.demo.truth import ATTRIBUTES


def test_every_single_attribute_and_all_together_can_be_written() -> None:
    rng = np.random.default_rng(0)
    for attributes in [set(), *({a} for a in ATTRIBUTES), set(ATTRIBUTES[:9]), set(ATTRIBUTES[9:])]:
        for _ in range(5):
            text = write_answer("music", attributes, rng)
            assert MIN_WORDS <= len(text.split()) <= MAX_WORDS, text
    everything = write_answer("music", set(ATTRIBUTES), rng)
    assert all(mark in everything for mark in ("!", "?", "...", "(", ";", "\n- "))


def test_an_attribute_that_cannot_be_written_is_named() -> None:
    with pytest.raises(ValueError, match="'sarcasm'"):
        write_answer("music", {"sarcasm"}, np.random.default_rng(0))
