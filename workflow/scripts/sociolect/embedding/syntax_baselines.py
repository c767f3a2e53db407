"""Baselines that see the syntax of tagged answers: n-grams, measures, and all style there is in one regression."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sociolect.common.errors import InputError
from sociolect.embedding.accuracy import measure_groups, near_of
from sociolect.stylometry.stylometry import log_rates
from sociolect.syntax.grams import GRAMS, TERMS, noised_text, pos_text
from sociolect.syntax.measures import measure_syntax

__all__ = ["ALL_STYLE", "dense_block", "gram_block", "sparse_probabilities", "syntax_probabilities"]

ALL_STYLE = "style_syntax_logreg"
# inverse strength of the penalty, for rows of length about 1 in each block; several are tried on val
_C = 4.0
_C_TRIED = (0.25, 1.0, 4.0)
_FAR = 5.0  # standard deviations beyond which a measure counts no more


def syntax_probabilities(
    tagged: pl.DataFrame,
    dense: Sequence[np.ndarray],
    truth: np.ndarray,
    is_train: np.ndarray,
    is_val: np.ndarray,
    tell: Callable[[str], None],
) -> Iterator[tuple[str, np.ndarray]]:
    """Name and probabilities of each class [n, G] of each baseline, one after the other.

    `pos_logreg`: TF-IDF of part-of-speech 1-4-grams; `posnoise_logreg`: of 1-3-grams of POSNoise (Halvani and Graner
    2020); `syntax_logreg`: measures of syntax; `style_syntax_logreg`: all of these and the other style features in one
    regression, its penalty chosen on val. Classes are weighted equally.

    Args:
        tagged: rows of schema TAGGED of all answers, in their order.
        dense: other style features, each [n, width].
        truth: class of each answer.
        is_train: bool [n], what is fitted on.
        is_val: bool [n], what the penalty is chosen on; where it is empty, the strongest penalty is taken.
        tell: told what comes next.
    """
    blocks: list[np.ndarray | csr_matrix] = []
    for kind, name, text_of in (("pos", "pos_logreg", pos_text), ("noised", "posnoise_logreg", noised_text)):
        tell(name)
        blocks.append(gram_block(text_of(tagged), kind, is_train))
        yield name, sparse_probabilities(blocks[-1], truth, is_train, _C)
    tell("syntax_logreg")
    syntax = dense_block(log_rates(measure_syntax(tagged)), is_train)
    yield "syntax_logreg", sparse_probabilities(syntax, truth, is_train, _C)
    tell(ALL_STYLE)
    blocks += [syntax, *(dense_block(features, is_train) for features in dense)]
    union = hstack([csr_matrix(block) for block in blocks], format="csr")
    tried = [sparse_probabilities(union, truth, is_train, c) for c in (_C_TRIED if is_val.any() else _C_TRIED[:1])]
    yield ALL_STYLE, max(tried, key=lambda found: _told_apart(found[is_val], truth[is_val]))


def gram_block(texts: Sequence[str], kind: str, is_train: np.ndarray) -> csr_matrix:
    """TF-IDF [n, n-grams] of texts from syntax/grams.py; n-grams and their weights are those of train.

    Args:
        kind: key of GRAMS and TERMS.

    Raises:
        InputError: no n-gram is in two train answers.
    """
    vectorizer = TfidfVectorizer(
        token_pattern=r"\S+",
        lowercase=False,
        ngram_range=GRAMS[kind],
        max_features=TERMS[kind],
        min_df=2,
        sublinear_tf=True,
        dtype=np.float32,
    )
    try:
        vectorizer.fit([text for text, use in zip(texts, is_train, strict=True) if use])
    except ValueError as error:
        raise InputError(f"tagged train answers: no n-gram of {kind} is in two of them ({error})") from error
    return vectorizer.transform(texts)


def dense_block(features: np.ndarray, is_train: np.ndarray) -> np.ndarray:
    """Features scaled by mean and spread of train, rows of length about 1, so that blocks weigh alike; float32."""
    mean, spread = features[is_train].mean(axis=0), features[is_train].std(axis=0)
    scaled = np.clip((features - mean) / np.where(spread > 0, spread, 1.0), -_FAR, _FAR)
    return (scaled / np.sqrt(features.shape[1])).astype(np.float32)


def sparse_probabilities(
    features: np.ndarray | csr_matrix, truth: np.ndarray, is_train: np.ndarray, c: float
) -> np.ndarray:
    """Probabilities of each class [n, G] by logistic regression, classes weighted equally; nothing is scaled."""
    classifier = LogisticRegression(C=c, max_iter=300, tol=1e-3, class_weight="balanced")
    classifier.fit(features[is_train], truth[is_train])
    return np.asarray(classifier.predict_proba(features), dtype=np.float64)


def _told_apart(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Mean accuracy over pairs of classes; 0 where there is no pair."""
    if not len(truth):
        return 0.0
    rows = measure_groups(near_of(probabilities), truth, [str(g) for g in range(probabilities.shape[1])])
    return next((float(row["value"]) for row in rows if row["measure"] == "pairwise"), 0.0)
