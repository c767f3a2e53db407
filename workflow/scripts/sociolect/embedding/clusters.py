"""Clusters of questions by their words, and folds of answers that hold clusters out whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from sociolect.common.errors import InputError

__all__ = ["Fold", "deal_clusters", "held_out_folds", "question_clusters"]

_TERMS = 20_000
_TOPICS = 64  # dimensions of the questions' words, as for the clusters of Deerwester et al. (1990)
_STARTS = 4


@dataclass(frozen=True)
class Fold:
    """Rows of answers.

    Attributes:
        test: test answers whose question's cluster is held out.
        unseen: train and val answers of the other clusters.
        plain: as many train and val answers of each group, drawn from all clusters.
    """

    test: np.ndarray
    unseen: np.ndarray
    plain: np.ndarray


def question_clusters(questions: Sequence[str], n_clusters: int, seed: int) -> np.ndarray:
    """Cluster of each question [n], from 0: k-means of TF-IDF of its content words, reduced by SVD to unit length.

    Equal texts are one question; the order of questions changes nothing.

    Raises:
        InputError: there are fewer than two distinct questions, or none has a content word.
    """
    texts = sorted(set(questions))
    try:
        words = TfidfVectorizer(stop_words="english", sublinear_tf=True, max_features=_TERMS).fit_transform(texts)
    except ValueError as error:
        raise InputError(f"the questions have no words to cluster them by ({error})") from error
    if len(texts) < 2:
        raise InputError("all answers are to one question")
    seed %= 2**32
    # sums of several threads come in any order, and so would the clusters
    with threadpool_limits(1):
        if min(words.shape) > _TOPICS:
            words = normalize(TruncatedSVD(_TOPICS, random_state=seed).fit_transform(words))
        means = KMeans(min(n_clusters, len(texts)), n_init=_STARTS, random_state=seed)
        found = dict(zip(texts, means.fit_predict(words), strict=True))
    return np.array([found[question] for question in questions], dtype=np.int64)


def deal_clusters(cluster: np.ndarray, group: np.ndarray, n_folds: int) -> np.ndarray:
    """Fold of each answer [n]: every cluster lies whole in one, and each group is spread over all as evenly as goes.

    The largest cluster comes first, each to the fold that then holds least of its groups.

    Args:
        cluster: of each answer [n], from 0.
        group: of each answer [n], from 0.
    """
    counts = np.zeros((cluster.max() + 1, group.max() + 1))
    np.add.at(counts, (cluster, group), 1)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    filled = np.zeros((n_folds, shares.shape[1]))
    fold = np.zeros(len(shares), dtype=np.int64)
    for c in np.lexsort((np.arange(len(shares)), -shares.max(axis=1))):
        fold[c] = np.argmin(np.round((shares[c] * (filled + shares[c])).sum(axis=1), 12))
        filled[fold[c]] += shares[c]
    return fold[cluster]


def held_out_folds(
    fold: np.ndarray, group: np.ndarray, part: np.ndarray, groups: Sequence[str], seed: int
) -> list[Fold]:
    """Folds in which each test answer is met once, by models that saw nothing of its cluster, and by plain ones.

    The plain ones get as many train and val answers of each group, so that what they do better is the topic's.

    Args:
        fold: of each answer [n].
        group: of each answer [n], index into `groups`.
        part: of each answer [n]: train, val or test.
        seed: of the draw of the plain ones.

    Raises:
        InputError: a group has no train or no val answers outside of a fold.
    """
    found = []
    for f in range(int(fold.max()) + 1):
        test = np.flatnonzero((fold == f) & (part == "test"))
        if not len(test):
            continue
        rng = np.random.default_rng((seed, f))
        unseen, plain = [], []
        for name in ("train", "val"):
            for g in range(len(groups)):
                own = np.flatnonzero((group == g) & (part == name))
                left = own[fold[own] != f]
                if not len(left):
                    raise InputError(
                        f"all {name} answers of group {groups[g]!r} are to questions of one fold; "
                        "raise topic.clusters or topic.folds"
                    )
                unseen.append(left)
                plain.append(np.sort(rng.choice(own, len(left), replace=False)))
        found.append(Fold(test, np.sort(np.concatenate(unseen)), np.sort(np.concatenate(plain))))
    return found
