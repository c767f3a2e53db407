"""Texts and attribute sentences for tiny agreement models."""

from __future__ import annotations

import numpy as np
from transformers import PreTrainedTokenizerFast

from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchTokenizer

NAMES = ["exclamation marks", "question marks", "the word red", "the word blue", "many digits", "short sentences"]
SENTENCES = [f"The author uses {name}." for name in NAMES]
WORDS = ["red", "blue", "green", "house", "runs", "over", "the", "!", "?", "7", "."]


def texts(n: int, seed: int = 0) -> list[str]:
    """n texts of 3 to 29 words and marks."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(3, 30))) for _ in range(n)]


def text_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer that knows the words of the texts and the sentences."""
    return train_tokenizer([*texts(20), *SENTENCES], ScratchTokenizer(kind="word", vocabulary=200))
