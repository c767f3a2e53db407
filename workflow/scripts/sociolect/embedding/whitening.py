"""Linear maps of style vectors in place of the net, or before it: scaling, whitening within authors, shrinkage LDA."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf

from sociolect.common.errors import InputError
from sociolect.embedding.fit_data import FitData
from sociolect.embedding.net import EmbeddingNet

__all__ = ["fold_into", "linear_map", "whitening_matrix"]


def linear_map(data: FitData, kind: str) -> EmbeddingNet:
    """A map of width 0, fitted on train without any search.

    `identity` scales each attribute to standard deviation 1; `whitening` scales the pooled covariance within authors
    to the identity, so that the Euclidean distance of embeddings is the Mahalanobis distance of style vectors;
    `lda` is the space of linear discriminants [G - 1] with the covariance within groups shrunk by Ledoit and Wolf
    (2004), in which the nearest center is the most probable group under equal priors.

    Raises:
        InputError: unknown kind.
    """
    n_attributes = data.style.shape[1]
    if kind == "identity":
        weight = np.eye(n_attributes)
    elif kind == "whitening":
        weight = whitening_matrix(data)
    elif kind == "lda":
        values, group = _standardized(data), data.who.group.numpy()
        whiten = _inverse_root(_spread_within(values, group))
        # not scikit-learn's: with shrinkage its G - 1 directions leave out a part of what is between the groups
        means = np.stack([values[group == g].mean(0) for g in range(len(data.groups))]) @ whiten
        weight = np.linalg.svd(means - means.mean(0), full_matrices=False)[2][: len(means) - 1] @ whiten
    else:
        raise InputError(f"unknown map {kind!r}; use net, lda, whitening or identity")
    net = EmbeddingNet(n_attributes, 0, len(weight))
    net.standardize(data.style)
    with torch.no_grad():
        net.output.weight.copy_(torch.from_numpy(weight))
        net.output.bias.zero_()
    return net.eval()


def whitening_matrix(data: FitData) -> np.ndarray:
    """Symmetric matrix [K, K] that scales the pooled covariance of an author's answers (standardized) to the identity.

    The covariance is that of the differences from the author's mean, over authors with two answers or more in a
    group, shrunk by Ledoit and Wolf (2004). Where such authors have fewer answers than there are attributes, that of
    the differences from the group's mean.
    """
    values = _standardized(data)
    group, author = data.who.group.numpy(), data.who.author.numpy()
    _, pair, count = np.unique(np.stack([group, author]), axis=1, return_inverse=True, return_counts=True)
    pair = pair.ravel()
    several = count[pair] > 1
    enough = several.sum() - (count > 1).sum() >= values.shape[1]
    return _inverse_root(_spread_within(values[several], pair[several]) if enough else _spread_within(values, group))


def _spread_within(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Covariance [K, K] of the differences from the mean of each kind `of` [n], shrunk by Ledoit and Wolf (2004)."""
    n = np.bincount(of)
    sums = np.zeros((len(n), values.shape[1]))
    np.add.at(sums, of, values)
    # a kind of n values has n - 1 differences to give
    rest = (values - sums[of] / n[of][:, None]) * np.sqrt(n[of] / np.maximum(n[of] - 1, 1))[:, None]
    return np.asarray(ledoit_wolf(rest, assume_centered=True)[0])


def _inverse_root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric inverse square root; directions without spread are not blown up without end."""
    eigenvalues, directions = np.linalg.eigh(covariance)
    return np.asarray(directions / np.sqrt(np.maximum(eigenvalues, eigenvalues.max() * 1e-9)) @ directions.T)


def fold_into(net: EmbeddingNet, data: FitData, rotation: np.ndarray) -> EmbeddingNet:
    """The net for style vectors, of one that was trained on what `rotation` [K, K] makes of standardized ones."""
    first = net.layers()[0]
    with torch.no_grad():
        first.weight.copy_((first.weight.double() @ torch.from_numpy(rotation)).float())
    net.standardize(data.style)
    return net


def _standardized(data: FitData) -> np.ndarray:
    net = EmbeddingNet(data.style.shape[1], 0, 1)
    net.standardize(data.style)
    return np.asarray(((data.style - net.mean) / net.std).double().numpy())
