"""Whether a text answers its question: its words are nearer to that question than to the others that were asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from sociolect.common.errors import InputError

__all__ = ["relevances"]

_ROWS = 1024  # texts whose cosines with all questions are held at once
_DIGITS = 12  # cosines that differ less are equal, whatever order their terms were summed in


def relevances(texts: Sequence[str], questions: Sequence[str], fit_on: Sequence[str]) -> np.ndarray:
    """Share of the other questions that are less like the text than its own is, float64 [n]; equal ones count half.

    .5 is chance, 1 the best. Likeness is the cosine of TF-IDF of lower-cased words without English stop words; a
    question none of whose words is known is like no text. Nothing is drawn: each text meets all questions.

    Args:
        texts: [n]; empty ones get NaN.
        questions: wording of the question that each text answers [n]; equal wordings are one question.
        fit_on: train questions and answers, which give the words and their weights.

    Raises:
        InputError: fewer than two distinct questions, or nothing to fit on.
    """
    asked = sorted(set(questions))
    if len(asked) < 2:
        raise InputError(f"relevance needs texts to at least two distinct questions, and there are {len(asked)}")
    weights = TfidfVectorizer(stop_words="english")
    try:
        weights.fit(list(fit_on))
    except ValueError as error:
        raise InputError(f"relevance cannot weight the words of {len(fit_on)} train texts: {error}") from error
    place = {question: column for column, question in enumerate(asked)}
    own = np.array([place[question] for question in questions])
    vectors, against = weights.transform(list(texts)).tocsr(), weights.transform(asked).T.tocsc()
    result = np.empty(len(own))
    for start in range(0, len(own), _ROWS):
        rows = slice(start, start + _ROWS)
        cosines = np.round((vectors[rows] @ against).toarray(), _DIGITS)
        mine = np.take_along_axis(cosines, own[rows, None], axis=1)
        # its own question is equal to itself, and is no other
        beaten = (cosines < mine).sum(axis=1) + 0.5 * ((cosines == mine).sum(axis=1) - 1)
        result[rows] = beaten / (len(asked) - 1)
    result[[not text.strip() for text in texts]] = np.nan
    return result
