"""What methods make a group's vector from: attribute vectors with their weights, and what was read of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.steering.attribute_weights import Weights

__all__ = ["EPS", "Material", "activation_tensor", "fold_means", "material_of"]

EPS = 1e-6


@dataclass(frozen=True)
class Material:
    """All that a method may use.

    Attributes:
        groups: names, alphabetical; G of them.
        unit: unit attribute vectors u[a, l] / |u[a, l]|, float64 [K, L, d]; zeros where there is no direction.
        weights: set of attributes -> group -> weights [K].
        read: kind of text -> means of activations by group and fold, float64 [G, folds, L, d].
    """

    groups: tuple[str, ...]
    unit: np.ndarray
    weights: Weights
    read: Mapping[str, np.ndarray]

    def means(self, kind: str) -> np.ndarray:
        """Mean activation of each group [G, L, d].

        Raises:
            InputError: this kind of text was not read.
        """
        if kind not in self.read:
            raise InputError(
                f"the groups' {kind} were not read, there are {', '.join(self.read) or 'none'}; read again"
            )
        return np.asarray(self.read[kind].mean(axis=1))

    def folds(self, which: Sequence[int]) -> Material:
        """The same, of these folds of the texts only."""
        return replace(self, read={kind: values[:, list(which)] for kind, values in self.read.items()})

    def shuffled(self, rng: np.random.Generator) -> Material:
        """The same with labels that mean nothing: a group's weights dealt to attributes at random, and the folds of
        each group dealt to all groups in turn, so that none gets more of its own than of any other."""
        weights = {
            name: {group: rng.permutation(w) for group, w in sorted(by_group.items())}
            for name, by_group in sorted(self.weights.items())
        }
        shapes = sorted({(values.shape[0], values.shape[1]) for values in self.read.values()})
        # one deal for all kinds, which may be paired
        deals = {shape: _dealt(shape[0], shape[1], rng) for shape in shapes}
        read = {
            kind: values.reshape(-1, *values.shape[2:])[deals[values.shape[0], values.shape[1]]].reshape(values.shape)
            for kind, values in self.read.items()
        }
        return replace(self, weights=weights, read=read)


def _dealt(groups: int, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Which cell (group, fold) each cell gets, [groups * folds]: fold f of a group comes from the f-th group after it,
    and which of that group's folds is drawn."""
    orders = [rng.permutation(folds) for _ in range(groups)]
    turn = int(rng.integers(groups))
    sources = [((g + fold + turn) % groups, fold) for g in range(groups) for fold in range(folds)]
    cells = [source * folds + orders[source][fold] for source, fold in sources]
    return np.array(cells, dtype=np.int64)


def material_of(
    groups: Sequence[str],
    activations: pl.DataFrame,
    attribute_ids: Sequence[str],
    weights: Weights,
    readings: pl.DataFrame,
) -> Material:
    """Gather it.

    Args:
        groups: names.
        activations: ACTIVATIONS.
        attribute_ids: the catalogue.
        weights: of `group_weights`.
        readings: READINGS, empty where no method reads texts.

    Raises:
        InputError: an attribute that has a weight has no direction at some block; tables do not fit together.
    """
    values = activation_tensor(activations, attribute_ids)
    norms = np.linalg.norm(values, axis=2, keepdims=True)
    used = np.sum([w for by_group in weights.values() for w in by_group.values()], axis=0) > 0
    bad = (norms[:, :, 0] < EPS) & used[:, None]
    if bad.any():
        attribute, layer = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"attribute {attribute_ids[attribute]!r}: its activation vanishes at layer {layer}, so it has no "
            "direction; take it out of the catalogue or set activations.contrast to raw"
        )
    unit = np.divide(values, norms, out=np.zeros_like(values), where=norms >= EPS)
    return Material(tuple(sorted(groups)), unit, weights, fold_means(readings, sorted(groups)))


def activation_tensor(activations: pl.DataFrame, attribute_ids: Sequence[str]) -> np.ndarray:
    """ACTIVATIONS as u[a, l], float64 [K, layers, d], attributes in the order given.

    Raises:
        InputError: an attribute has no vectors, or not one per layer.
    """
    n_layers = activations["layer"].n_unique()
    rank = {attribute: i for i, attribute in enumerate(attribute_ids)}
    missing = sorted(set(rank) - set(activations["attribute_id"]))
    if missing:
        raise InputError(f"attribute {missing[0]!r} has no activation; catalogue and activations differ, extract again")
    frame = activations.filter(pl.col("attribute_id").is_in(list(rank)))
    order = frame["attribute_id"].replace_strict(rank, return_dtype=pl.Int64)
    frame = frame.with_columns(order.alias("rank")).sort("rank", "layer")
    if frame.height != len(rank) * n_layers or frame["layer"].to_list() != list(range(n_layers)) * len(rank):
        raise InputError(f"activations must have layers 0 to {n_layers - 1} of every attribute; extract again")
    return matrix(frame["vector"]).reshape(len(rank), n_layers, -1)


def fold_means(readings: pl.DataFrame, groups: Sequence[str]) -> dict[str, np.ndarray]:
    """READINGS by kind, float64 [G, folds, L, d].

    Raises:
        InputError: a group, fold or block of a kind is missing.
    """
    found = {}
    for (kind,), frame in readings.sort("kind", "group", "fold", "layer").group_by("kind", maintain_order=True):
        folds, layers = frame["fold"].n_unique(), frame["layer"].n_unique()
        if sorted(frame["group"].unique()) != list(groups) or frame.height != len(groups) * folds * layers:
            raise InputError(f"{kind}: not every group, fold and block was read; read the answers again")
        found[str(kind)] = matrix(frame["vector"]).reshape(len(groups), folds, layers, -1)
    return found
