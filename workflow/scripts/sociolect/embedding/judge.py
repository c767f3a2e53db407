"""The topic probe: a text classifier of words and characters, which shares nothing with SFAM and the net.

It sees what a text is about, and how it is written as well. As a baseline it tells how far words alone part groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import hstack, vstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from sociolect.common.errors import InputError

__all__ = ["TermJudge", "fit_judge"]


def fit_judge(texts: Sequence[str], groups: Sequence[str], max_features: int = 50_000) -> Pipeline:
    """TF-IDF of words (1-2) and of characters in words (2-4), with logistic regression, balanced over groups.

    Args:
        texts: train answers, in an order that does not depend on the machine.
        groups: group of each.
        max_features: most frequent terms kept, for words and for characters each.

    Raises:
        InputError: fewer than two groups, or texts without a word.
    """
    if len(set(groups)) < 2:
        raise InputError("the topic probe needs train answers of at least two groups")
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=max_features, dtype=np.float32),
        TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(2, 4),
            min_df=2,
            sublinear_tf=True,
            max_features=max_features,
            dtype=np.float32,
        ),
    )
    judge = make_pipeline(features, LogisticRegression(C=4.0, max_iter=300, tol=1e-3, class_weight="balanced"))
    try:
        return judge.fit(list(texts), list(groups))
    except ValueError as error:
        raise InputError(f"the topic probe cannot be fitted on {len(texts)} answers: {error}") from error


class TermJudge:
    """The same classifier, to be fitted many times on parts of the same texts: terms are found and counted once.

    Fitted on all of `is_train` it gives the probabilities of `fit_judge`.

    Args:
        texts: all texts [n].
        is_train: those that the terms come from, bool [n].
        max_features: most frequent terms kept, for words and for characters each.

    Raises:
        InputError: the texts have no terms.
    """

    def __init__(self, texts: Sequence[str], is_train: np.ndarray, max_features: int = 50_000) -> None:
        counters = (
            CountVectorizer(ngram_range=(1, 2), min_df=2, max_features=max_features, dtype=np.float32),
            CountVectorizer(
                analyzer="char_wb", ngram_range=(2, 4), min_df=2, max_features=max_features, dtype=np.float32
            ),
        )
        train, others = np.flatnonzero(is_train).tolist(), np.flatnonzero(~np.asarray(is_train)).tolist()
        back = np.argsort(np.concatenate([train, others]))
        try:
            self.counts = [
                vstack(
                    [counter.fit_transform([texts[i] for i in train]), counter.transform([texts[i] for i in others])]
                ).tocsr()[back]
                for counter in counters
            ]
        except ValueError as error:
            raise InputError(f"the groups cannot be told by the words of {len(train)} texts: {error}") from error

    def probabilities(self, truth: np.ndarray, train: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Probabilities [m, G] of the classes of the asked rows [m].

        Args:
            truth: class of each text [n], from 0, all of them among the train rows.
            train: rows that are fitted on.
            asked: rows that are asked.
        """
        seen, new = [], []
        for counts in self.counts:
            own = counts[train]
            known = own.getnnz(axis=0) >= 2
            weights = TfidfTransformer(sublinear_tf=True).fit(own[:, known])
            seen.append(weights.transform(own[:, known]))
            new.append(weights.transform(counts[asked][:, known]))
        judge = LogisticRegression(C=4.0, max_iter=300, tol=1e-3, class_weight="balanced")
        judge.fit(hstack(seen).tocsr(), truth[train])
        return np.asarray(judge.predict_proba(hstack(new).tocsr()))
