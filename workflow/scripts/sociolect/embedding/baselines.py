"""What the net is compared with: classifiers trained on the same train part.

Each gives probabilities [n, G] for all answers, which go through the same measures as the net's distances.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.embedding.accuracy import measure_groups, near_of
from sociolect.embedding.judge import fit_judge
from sociolect.embedding.syntax_baselines import syntax_probabilities
from sociolect.stylometry.stylometry import log_rates, measure_texts

__all__ = [
    "TERMS",
    "baseline_features",
    "baseline_probabilities",
    "group_accuracy",
    "logistic_probabilities",
    "style_only_features",
]

_MARKS = tuple("!\"#$%&'()*+,-./:;<=>?@[]_~")
TERMS = 20_000  # words and character n-grams each


def baseline_probabilities(
    texts: Sequence[str],
    style: np.ndarray,
    groups: Sequence[str],
    is_train: np.ndarray,
    progress: Report | None = None,
    tagged: pl.DataFrame | None = None,
    is_val: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Probabilities of each group [n, G] by each baseline, groups alphabetical.

    `majority`: the groups' shares of train; `tfidf_logreg`: words and characters, which see the topic, too;
    `style_only_logreg`: rates of function words and punctuation marks, no topic words (Mosteller and Wallace 1964);
    `stylometry_logreg`: all measures of the stylometry describer, syntax aside;
    `style_vector_logreg`: SFAM scores, what the net gets; where there are tagged answers, those of
    `syntax_probabilities`, too. All logistic regressions weight groups equally.

    Args:
        texts: answers [n].
        style: SFAM style vectors [n, K].
        groups: group of each answer.
        is_train: bool [n], what is fitted on.
        progress: called with baselines done and their number.
        tagged: rows of schema TAGGED of the answers, in their order.
        is_val: bool [n], what a penalty is chosen on, where there are tagged answers.

    Raises:
        InputError: a group has no train answers.
    """
    names = sorted(set(groups))
    truth = np.array([names.index(g) for g in groups])
    counts = np.bincount(truth[is_train], minlength=len(names))
    if (counts == 0).any():
        raise InputError(f"group {names[int(counts.argmin())]!r} has no train answers for the baselines")

    def tell(name: str) -> None:
        if progress is not None:
            progress(len(result), 5 if tagged is None else 9, name)

    result = {"majority": np.tile(counts / counts.sum(), (len(texts), 1))}
    tell("tfidf_logreg")
    train_texts = [text for text, use in zip(texts, is_train, strict=True) if use]
    judge = fit_judge(train_texts, [g for g, use in zip(groups, is_train, strict=True) if use], TERMS)
    result["tfidf_logreg"] = judge.predict_proba(list(texts))
    seen = baseline_features(texts, style)
    for name, features in seen.items():
        tell(name)
        result[name] = logistic_probabilities(features, truth, is_train)
    if tagged is not None:
        val = np.zeros(len(truth), dtype=bool) if is_val is None else is_val
        dense = [seen["style_only_logreg"], seen["stylometry_logreg"]]
        # one by one, so that progress counts them
        for name, found in syntax_probabilities(tagged, dense, truth, is_train, val, tell):
            result[name] = found
    tell("done")
    return result


def baseline_features(texts: Sequence[str], style: np.ndarray) -> dict[str, np.ndarray]:
    """What the logistic regressions see of each answer, by name: float64 [n, F].

    Args:
        texts: answers [n].
        style: SFAM style vectors [n, K].
    """
    return {
        "style_only_logreg": style_only_features(texts),
        "stylometry_logreg": log_rates(measure_texts(texts)),
        "style_vector_logreg": np.asarray(style, dtype=np.float64),
    }


def style_only_features(texts: Sequence[str]) -> np.ndarray:
    """Share of each function word and of each punctuation mark among a text's tokens, and its token count (log).

    Returns:
        float64 [n, function words + marks + 1].
    """
    vocabulary = [*sorted(ENGLISH_STOP_WORDS), *_MARKS]
    counter = CountVectorizer(token_pattern=r"[^\W\d_]+|\S", vocabulary=vocabulary)
    tokens = counter.build_analyzer()
    total = np.array([max(1, len(tokens(text))) for text in texts], dtype=np.float64)
    shares = counter.transform(texts).toarray() / total[:, None]
    return np.column_stack([shares, np.log(total)])


def logistic_probabilities(features: np.ndarray, truth: np.ndarray, is_train: np.ndarray, c: float = 0.1) -> np.ndarray:
    """Probabilities of each class [n, G] by logistic regression of scaled features, classes weighted equally.

    Args:
        features: [n, F].
        truth: class of each row [n]; read where `is_train`.
        is_train: bool [n], what is fitted on.
        c: inverse strength of the penalty.
    """
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(C=c, max_iter=300, tol=1e-3, class_weight="balanced")
    )
    classifier.fit(features[is_train], truth[is_train])
    return np.asarray(classifier.predict_proba(features))


def group_accuracy(style: np.ndarray, groups: Sequence[str], parts: np.ndarray) -> float | None:
    """Mean accuracy over pairs of groups on test, of logistic regression on the style vectors of train.

    Args:
        style: scores [n, K].
        groups: group of each answer.
        parts: part of each answer, text [n].

    Returns:
        None where test has fewer than two of the groups of train.
    """
    names = sorted(set(np.asarray(groups)[parts == "train"]))
    known = np.isin(groups, names)
    truth = np.array([names.index(g) if g in names else -1 for g in groups])
    test = (parts == "test") & known
    if len(names) < 2 or len(np.unique(truth[test])) < 2:
        return None
    probabilities = logistic_probabilities(style.astype(np.float64), truth, (parts == "train") & known)
    rows = measure_groups(near_of(probabilities[test]), truth[test], names)
    return float(next(r["value"] for r in rows if r["measure"] == "pairwise"))
