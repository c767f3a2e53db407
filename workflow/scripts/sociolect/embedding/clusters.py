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
_TOPICS = 64  # dimensions of latent semantic indexing (Deerwester et al. 1990)
_STARTS = 4
_COMMON = 0.05  # share of the questions above which a word is no topic


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


def question_clusters(
    questions: Sequence[str], group: np.ndarray, n_clusters: int, max_share: float, seed: int
) -> np.ndarray:
    """Cluster of each answer's question [n], from 0: k-means of TF-IDF of its rarer words, reduced by SVD.

    Words that many questions have are how one asks, not what about. A cluster that holds more than `max_share` of a
    group is cut in two, again and again, so that no group loses all that it has with one cluster. Equal texts are one
    question; the order of the rows changes nothing.

    Args:
        questions: text of the question of each answer [n].
        group: of each answer [n], from 0.
        n_clusters: of k-means, before clusters are cut.
        max_share: largest share of a group's answers in a cluster, where its texts can be parted at all.
        seed: of SVD and k-means.

    Raises:
        InputError: there are fewer than two distinct questions, or none has a word of its own.
    """
    texts = sorted(set(questions))
    number = {name: i for i, name in enumerate(texts)}
    text = np.array([number[question] for question in questions], dtype=np.int64)
    if len(texts) < 2:
        raise InputError("all answers are to one question")
    points = _places(texts, seed % 2**32)
    held = np.zeros((len(texts), int(group.max()) + 1))
    np.add.at(held, (text, group), 1)
    held /= np.maximum(held.sum(axis=0), 1)
    # sums of several threads come in any order, and so would the clusters
    with threadpool_limits(1):
        means = KMeans(min(n_clusters, len(texts)), n_init=_STARTS, random_state=seed % 2**32)
        cluster = means.fit_predict(points).astype(np.int64)
        waiting = list(range(int(cluster.max()) + 1))
        while waiting:
            c = waiting.pop()
            rows = np.flatnonzero(cluster == c)
            if len(rows) < 2 or held[rows].sum(axis=0).max() <= max_share + 1e-9:
                continue
            second = KMeans(2, n_init=_STARTS, random_state=seed % 2**32).fit_predict(points[rows]) == 1
            if 0 < second.sum() < len(rows):
                cluster[rows[second]] = cluster.max() + 1
                waiting += [c, int(cluster.max())]
    return np.asarray(cluster[text])


def _places(texts: Sequence[str], seed: int) -> np.ndarray:
    """Each text as a point of unit length."""
    try:
        words = TfidfVectorizer(
            stop_words="english", sublinear_tf=True, max_features=_TERMS, max_df=max(2, int(_COMMON * len(texts)))
        ).fit_transform(texts)
    except ValueError as error:
        raise InputError(f"the questions have no words to cluster them by ({error})") from error
    if min(words.shape) <= _TOPICS:
        return np.asarray(words.toarray())
    with threadpool_limits(1):
        return np.asarray(normalize(TruncatedSVD(_TOPICS, random_state=seed).fit_transform(words)))


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
