"""Linear maps: Mahalanobis and shrinkage LDA are what they are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from made_tables import planted
from sociolect.embedding.fit_data import FitData, fit_data
from sociolect.embedding.net import distance_matrix, embed
from sociolect.embedding.triplets import Identities
from sociolect.embedding.whitening import linear_map, whitening_matrix


def with_style(style: np.ndarray, author: np.ndarray) -> FitData:
    data = fit_data(planted(48))
    group = torch.from_numpy(np.arange(len(style)) % 3)
    who = Identities(group, torch.from_numpy(author), torch.arange(len(style)))
    return replace(data, style=torch.from_numpy(style).float(), who=who)


def test_what_an_authors_answers_differ_in_is_scaled_to_one() -> None:
    rng = np.random.default_rng(0)
    # three answers of each author, all of one group
    author = np.arange(6000) // 9 * 3 + np.arange(6000) % 3
    mixing = np.array([[3.0, 0.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.5, 0.2]])
    # between authors nothing of this kind: it must not be seen
    style = rng.normal(size=(6000, 3)) @ mixing.T + 20 * rng.normal(size=(author.max() + 1, 3))[author]
    data = with_style(style, author)
    net = linear_map(data, "whitening")
    made = embed(net, style)
    within = made - np.stack([made[author == a].mean(0) for a in range(author.max() + 1)])[author]
    covariance = within.T @ within / (6000 - author.max() - 1)
    assert np.allclose(covariance, np.eye(3), atol=0.1)


def test_without_authors_of_several_answers_it_is_the_spread_within_groups() -> None:
    rng = np.random.default_rng(1)
    group = np.arange(3000) % 3
    style = rng.normal(size=(3000, 2)) * [1.0, 4.0] + np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])[group]
    made = embed(linear_map(with_style(style, np.arange(3000)), "whitening"), style)
    assert np.allclose([made[group == g].std(0) for g in range(3)], 1.0, atol=0.05)


def test_nearest_center_in_the_space_of_discriminants_is_the_decision_of_lda() -> None:
    data = fit_data(planted(480, shift=0.1))
    style, group = data.style.double().numpy(), data.who.group.numpy()
    found = embed(linear_map(data, "lda"), style)
    assert found.shape == (len(style), 2)
    centers = np.stack([found[group == g].mean(0) for g in range(3)])
    scaled = (style - style.mean(0)) / style.std(0)
    # it shrinks each group's covariance by itself, which few answers see
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=[1 / 3] * 3).fit(scaled, group)
    assert (distance_matrix(found, centers, "euclidean").argmin(1) == peer.predict(scaled)).mean() > 0.98


def test_an_attribute_that_never_varies_is_no_trouble() -> None:
    data = fit_data(planted(240))
    style = data.style.clone()
    style[:, 3] = 0.5
    still = replace(data, style=style)
    assert np.isfinite(whitening_matrix(still)).all()
    for kind in ("lda", "whitening", "identity"):
        assert np.isfinite(embed(linear_map(still, kind), style.double().numpy())).all()
