"""A teacher, its lessons and its student, all tiny."""

from __future__ import annotations

import numpy as np

from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchTokenizer
from sociolect.sfam.model import AgreementModel
from sociolect.sfam.student import Student, build_student
from tiny_models import tiny_agreement

WORDS = ["red", "blue", "green", "seven", "nine", "the", "of", "and"]
SENTENCES = ["The author uses red words.", "The author uses blue words.", "The author uses digits."]


def make_teacher() -> AgreementModel:
    """A teacher that knows the words of the lessons."""
    tokenizer = train_tokenizer([" ".join(WORDS), *SENTENCES], ScratchTokenizer(kind="word", vocabulary=100))
    return tiny_agreement(tokenizer, hidden=32)


def lessons(n: int) -> tuple[list[str], np.ndarray]:
    """Texts, and scores that follow from them: the shares of red, of blue, and of both numbers."""
    rng = np.random.default_rng(0)
    texts, scores = [], []
    for _ in range(n):
        weights = rng.dirichlet(np.full(len(WORDS), 0.5))
        words = rng.choice(WORDS, rng.integers(3, 25), p=weights)
        shares = [np.isin(words, wanted).mean() for wanted in (["red"], ["blue"], ["seven", "nine"])]
        texts.append(" ".join(words))
        scores.append(1 / (1 + np.exp(6 - 20 * np.array(shares))))
    return texts, np.array(scores)


def student_of(teacher: AgreementModel) -> Student:
    """A student that has learned nothing yet."""
    return build_student(teacher, SENTENCES, 30, seed=2)
