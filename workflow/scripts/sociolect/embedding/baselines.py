"""What the net is compared with: classifiers trained on the same train part (N6).

Each gives probabilities [n, G] for all answers, which go through the same measures as the net's distances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sociolect.describers.stylometry import measure_texts
from sociolect.errors import InputError
from sociolect.judge import fit_judge

__all__ = ["baseline_probabilities"]

_TERMS = 20_000  # words and character n-grams each


def baseline_probabilities(
    texts: Sequence[str],
    style: np.ndarray,
    groups: Sequence[str],
    is_train: np.ndarray,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, np.ndarray]:
    """Probabilities of each group [n, G] by each baseline, groups alphabetical.

    `majority`: the groups' shares of train; `tfidf_logreg`: words and characters, which see the topic, too;
    `style_only_logreg`: measured rates of function words, punctuation and the like, no topic words;
    `style_vector_logreg`: SFAM scores, what the net gets. All logistic regressions weight groups equally.

    Args:
        texts: answers [n].
        style: SFAM style vectors [n, K].
        groups: group of each answer.
        is_train: bool [n], what is fitted on.

    Raises:
        InputError: a group has no train answers.
    """
    names = sorted(set(groups))
    truth = np.array([names.index(g) for g in groups])
    counts = np.bincount(truth[is_train], minlength=len(names))
    if (counts == 0).any():
        raise InputError(f"group {names[int(counts.argmin())]!r} has no train answers for the baselines")
    tell = progress or (lambda done, total, message: None)
    result = {"majority": np.tile(counts / counts.sum(), (len(texts), 1))}
    tell(1, 4, "tfidf_logreg")
    train_texts = [text for text, use in zip(texts, is_train, strict=True) if use]
    judge = fit_judge(train_texts, [g for g, use in zip(groups, is_train, strict=True) if use], _TERMS)
    result["tfidf_logreg"] = judge.predict_proba(list(texts))
    tell(2, 4, "style_only_logreg")
    # rates are skewed: a few texts have many, most have none
    rates = np.log1p(np.maximum(measure_texts(texts), 0.0))
    result["style_only_logreg"] = _logistic(rates, truth, is_train)
    tell(3, 4, "style_vector_logreg")
    result["style_vector_logreg"] = _logistic(np.asarray(style, dtype=np.float64), truth, is_train)
    tell(4, 4, "done")
    return result


def _logistic(features: np.ndarray, truth: np.ndarray, is_train: np.ndarray) -> np.ndarray:
    classifier = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=300, tol=1e-3, class_weight="balanced")
    )
    classifier.fit(features[is_train], truth[is_train])
    return np.asarray(classifier.predict_proba(features))
