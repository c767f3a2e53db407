"""Clusters of questions, and folds that hold them out whole."""

from __future__ import annotations

import numpy as np
import pytest

from sociolect.common.errors import InputError
from sociolect.embedding.clusters import deal_clusters, held_out_folds, question_clusters

NAMES = ["art", "law", "med"]


TOPICS = [["beer", "hops", "yeast"], ["qubit", "gate", "spin"], ["verdict", "court", "judge"]]
QUESTIONS = [f"How is the {t[i % 3]} with the {t[(i + 1) % 3]}?" for i in range(12) for t in TOPICS]


def test_planted_topics_are_the_clusters_whatever_the_order() -> None:
    group = np.arange(36) % 2
    found = question_clusters(QUESTIONS, group, 3, 1.0, seed=1)
    assert [len(set(found[t::3])) for t in range(3)] == [1, 1, 1] and len(set(found[:3])) == 3
    turned = question_clusters(QUESTIONS[::-1], group[::-1], 3, 1.0, seed=1)
    assert np.array_equal(turned, found[::-1])


def test_a_cluster_that_holds_most_of_a_group_is_cut_until_it_does_not() -> None:
    """Each group asks about one topic, in three questions of four answers each."""
    found = question_clusters(QUESTIONS, np.arange(36) % 3, 3, 0.4, seed=1)
    assert len(set(found)) == 9
    for question in set(QUESTIONS):
        assert len({c for c, q in zip(found, QUESTIONS, strict=True) if q == question}) == 1
    # what cannot be parted stays whole
    same = question_clusters(QUESTIONS, np.arange(36) % 3, 3, 0.1, seed=1)
    assert len(set(same)) == 9


def test_questions_without_words_are_no_clusters() -> None:
    with pytest.raises(InputError, match="no words"):
        question_clusters(["What is it?", "Why?"], np.array([0, 1]), 2, 0.5, seed=1)
    with pytest.raises(InputError, match="one question"):
        question_clusters(["Which beer?", "Which beer?"], np.array([0, 1]), 2, 0.5, seed=1)


def test_clusters_are_held_out_whole_and_the_plain_ones_get_as_many() -> None:
    rng = np.random.default_rng(0)
    cluster, group = rng.integers(0, 20, 900), rng.integers(0, 3, 900)
    part = rng.choice(["train", "val", "test"], 900, p=[0.6, 0.2, 0.2])
    fold = deal_clusters(cluster, group, 3)
    assert all(len(set(fold[cluster == c])) == 1 for c in range(20))
    for g in range(3):
        # 20 clusters of about 1/20 each
        assert np.ptp(np.bincount(fold[group == g], minlength=3)) < 0.2 * (group == g).sum()
    folds = held_out_folds(fold, group, part, NAMES, seed=1)
    assert sorted(np.concatenate([f.test for f in folds])) == np.flatnonzero(part == "test").tolist()
    for f in folds:
        assert not set(cluster[f.unseen]) & set(cluster[f.test])
        assert set(cluster[f.plain]) & set(cluster[f.test])
        for rows in (f.unseen, f.plain):
            assert len(set(rows.tolist())) == len(rows) and "test" not in part[rows]
        for kind in ("train", "val"):
            sizes = [np.bincount(group[rows[part[rows] == kind]]).tolist() for rows in (f.unseen, f.plain)]
            assert sizes[0] == sizes[1]
            assert set(f.unseen[part[f.unseen] == kind]) == set(
                np.flatnonzero((part == kind) & ~np.isin(cluster, cluster[f.test]))
            )


def test_a_group_of_one_topic_cannot_be_held_out() -> None:
    cluster, group = np.array([0, 0, 1, 2, 1, 2]), np.array([0, 0, 1, 1, 1, 1])
    part = np.array(["train", "val", "train", "train", "val", "val"])
    with pytest.raises(InputError, match=r"all train answers of group 'art'.*topic\.clusters"):
        held_out_folds(deal_clusters(cluster, group, 2), group, np.where(part == "val", "test", part), NAMES, 1)
