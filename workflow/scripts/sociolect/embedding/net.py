"""The embedding net f: style vector [K] -> embedding [D], its file, and distances between embeddings."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from sociolect.common.errors import InputError
from sociolect.common.files import atomic_path

__all__ = [
    "Distance",
    "EmbeddingNet",
    "distance_matrix",
    "embed",
    "load_net",
    "nearest_group",
    "nearest_index",
    "save_net",
]

Distance = Literal["euclidean", "cosine"]


class EmbeddingNet(nn.Module):
    """Two fully connected layers with ReLU between; the input is standardized, dropout sits there and after ReLU.

    Mean and standard deviation of the train style vectors are buffers, so that they travel in the file and every
    user of the net standardizes alike. An attribute that is constant on train is only centered. Of width 0 it is a
    linear map alone, without hidden layer: shrinkage LDA, whitening and scaling are of this kind.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, n_attributes: int, width: int, dimension: int, dropout: float = 0.0, input_dropout: float = 0.0
    ) -> None:
        super().__init__()
        # skip_init: weights come from `reset` with its own generator, never from torch's global one
        self.hidden = nn.utils.skip_init(nn.Linear, n_attributes, width) if width else None
        self.output = nn.utils.skip_init(nn.Linear, width or n_attributes, dimension)
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.register_buffer("mean", torch.zeros(n_attributes))
        self.register_buffer("std", torch.ones(n_attributes))

    @property
    def n_attributes(self) -> int:
        """Width K of the style vectors."""
        return len(self.mean)

    @property
    def width(self) -> int:
        """Width of the hidden layer; 0 where there is none."""
        return self.hidden.out_features if self.hidden is not None else 0

    def layers(self) -> list[nn.Linear]:
        """The linear layers, from input to output."""
        return [self.output] if self.hidden is None else [self.hidden, self.output]

    def reset(self, generator: torch.Generator) -> None:
        """Draw the weights (PyTorch's default ranges for a linear layer) from `generator`."""
        for layer in self.layers():
            bound = 1 / math.sqrt(layer.in_features)
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)

    def standardize(self, style: torch.Tensor) -> None:
        """Take mean and standard deviation from train style vectors [n, K]."""
        self.mean.copy_(style.mean(0))
        std = style.std(0, correction=0)
        self.std.copy_(torch.where(std > 1e-6, std, torch.ones_like(std)))

    def forward(self, style: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Embeddings [n, D] of style vectors [n, K]. Dropout is on only when a generator is given."""
        # an attribute that is left out has the value of its mean
        hidden = _dropped((style - self.mean) / self.std, self.input_dropout, generator)
        if self.hidden is not None:
            hidden = torch.relu(self.hidden(hidden))
        result: torch.Tensor = self.output(_dropped(hidden, self.dropout, generator))
        return result


def _dropped(values: torch.Tensor, share: float, generator: torch.Generator | None) -> torch.Tensor:
    """Dropout with its own generator; without one, nothing is left out."""
    if generator is None or share <= 0:
        return values
    keep = torch.rand(values.shape, generator=generator) >= share
    return values * keep / (1 - share)


def embed(net: EmbeddingNet, style: np.ndarray) -> np.ndarray:
    """Embeddings [n, D] of style vectors [n, K], in float64.

    Raises:
        InputError: the style vectors have another width than the net, or are not finite.
    """
    style = np.asarray(style, dtype=np.float64)
    if style.ndim != 2 or style.shape[1] != net.n_attributes:
        raise InputError(
            f"style vectors {style.shape} do not fit a net for {net.n_attributes} attributes; "
            "labels and net come from different catalogues"
        )
    if not np.isfinite(style).all():
        raise InputError("a style vector is not finite")
    values = (style - net.mean.double().numpy()) / net.std.double().numpy()
    for layer in net.layers():
        weight, bias = (p.detach().double().numpy() for p in (layer.weight, layer.bias))
        values = values @ weight.T + bias
        if layer is net.hidden:
            values = np.maximum(values, 0.0)
    return np.asarray(values)


def save_net(net: EmbeddingNet, path: Path, hyper: dict[str, Any]) -> None:
    """Write weights and standardization as safetensors; `hyper` (distance, margin, ...) is its metadata."""
    shape = {
        "n_attributes": net.n_attributes,
        "width": net.width,
        "dimension": net.output.out_features,
        "dropout": net.dropout,
        "input_dropout": net.input_dropout,
    }
    with atomic_path(path) as temporary:
        tensors = {name: t.detach().contiguous() for name, t in sorted(net.state_dict().items())}
        save_file(tensors, temporary, {"hyper": json.dumps(hyper | shape, sort_keys=True)})


def load_net(path: Path) -> tuple[EmbeddingNet, dict[str, Any]]:
    """The net and its hyper-parameters: `hyper["distance"]` and `hyper["center"]` are those it was trained for.

    Raises:
        InputError: the file is missing, damaged, or not an embedding net.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        with safe_open(path, "pt") as file:
            hyper = json.loads((file.metadata() or {})["hyper"])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        shape = (hyper[name] for name in ("n_attributes", "width", "dimension", "dropout", "input_dropout"))
        net = EmbeddingNet(*shape)
        net.load_state_dict(state)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise InputError(f"{path}: not a whole embedding net ({error}); delete it and run again") from error
    return net.eval(), hyper


def distance_matrix(a: np.ndarray, b: np.ndarray, distance: Distance) -> np.ndarray:
    """Distances [n, m] between rows of a [n, D] and b [m, D], in float64.

    `euclidean` is the L2 norm of the difference; `cosine` is 1 - cos, where a zero vector is at distance 1 of
    everything.

    Raises:
        InputError: unknown distance.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if distance == "euclidean":
        # by differences, not by |a|^2 - 2ab + |b|^2, whose rounding would break ties and exact zeros
        return np.stack([np.sqrt(np.square(a - row).sum(axis=1)) for row in b], axis=1)
    if distance == "cosine":
        return np.asarray(1.0 - _unit(a) @ _unit(b).T)
    raise InputError(f"unknown distance {distance!r}; use euclidean or cosine")


def nearest_index(distances: np.ndarray, tolerance: float = 1e-12) -> np.ndarray:
    """Column of the smallest distance per row [n]; of distances within `tolerance` the first column wins."""
    smallest = distances.min(axis=1, keepdims=True)
    return np.asarray((distances <= smallest + tolerance).argmax(axis=1))


def nearest_group(embeddings: np.ndarray, centers: np.ndarray, groups: Sequence[str], distance: Distance) -> list[str]:
    """Group whose center is nearest to each embedding; a tie goes to the smallest group name.

    Args:
        embeddings: [n, D].
        centers: [G, D], in the order of `groups`.
    """
    order = sorted(range(len(groups)), key=lambda i: groups[i])
    found = nearest_index(distance_matrix(embeddings, centers[order], distance))
    return [groups[order[i]] for i in found]


def _unit(x: np.ndarray) -> np.ndarray:
    norm = np.sqrt(np.square(x).sum(axis=1, keepdims=True))
    return np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)
