"""Training of one embedding net, and its accuracy on val."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from sociolect.embedding.accuracy import macro
from sociolect.embedding.fit_data import FitData
from sociolect.embedding.losses import BatchLoss, LossShape
from sociolect.embedding.net import Distance, EmbeddingNet, distance_matrix, embed, nearest_index
from sociolect.embedding.triplets import Identities, Miner, balanced_batches, split_roles
from sociolect.embedding.whitening import fold_into, linear_map, whitening_matrix
from sociolect.settings.embedding import EmbeddingSettings

__all__ = ["Hyper", "Trained", "train_net", "val_accuracy"]

_POSITIVES = 2  # positives drawn per anchor and batch: more cost time and gain nothing
_BAG = 15  # answers whose median is one prototype; odd, so that a median is a value that occurs


@dataclass(frozen=True)
class Hyper:
    """Hyper-parameters of one map; those that its kind or loss does not read stay at their defaults."""

    distance: Distance = "euclidean"
    margin: float = 0.2
    temperature: float = 0.1
    width: int = 0
    dimension: int = 0
    dropout: float = 0.0
    input_dropout: float = 0.0
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    batch_size: int = 128
    miner: Miner = "all"


@dataclass(frozen=True)
class Trained:
    """A net with the weights of its best epoch."""

    net: EmbeddingNet
    accuracy: float
    epochs: int


def train_net(
    data: FitData,
    hyper: Hyper,
    settings: EmbeddingSettings,
    seed: int,
    report: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train one net; keep the weights of the epoch with the best val accuracy (the first of equals).

    A map without a net is fitted, not trained, and draws nothing.

    Args:
        seed: decides weights, dropout, batches, drawn positives and roles.
        report: called with (epoch, best accuracy) after each epoch; may raise optuna.TrialPruned.
    """
    if settings.map != "net":
        net = linear_map(data, settings.map)
        return Trained(net, val_accuracy(net, data, hyper.distance, settings), 0)
    if settings.whitening == "none":
        return _train(data, hyper, settings, seed, report)
    rotation = whitening_matrix(data)
    trained = _train(_rotated(data, rotation), hyper, settings, seed, report)
    return replace(trained, net=fold_into(trained.net, data, rotation))


def val_accuracy(net: EmbeddingNet, data: FitData, distance: Distance, settings: EmbeddingSettings) -> float:
    """Nearest-group macro accuracy on val, against the group embeddings that the map is made for."""
    if settings.center == "style":
        centers = embed(net, data.prototypes)
    else:
        with torch.no_grad():
            out = net(data.style).double() * data.weight[:, None]
        centers = np.zeros((len(data.groups), out.shape[1]))
        np.add.at(centers, data.who.group.numpy(), out.numpy())
    near = nearest_index(distance_matrix(embed(net, data.val_style), centers, distance))
    return macro(near, data.val_group)


def _train(
    data: FitData,
    hyper: Hyper,
    settings: EmbeddingSettings,
    seed: int,
    report: Callable[[int, float], None] | None,
) -> Trained:
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = EmbeddingNet(data.style.shape[1], hyper.width, hyper.dimension, hyper.dropout, hyper.input_dropout)
    net.standardize(data.style)
    net.reset(generator)
    shape = LossShape(
        settings.metric_loss, settings.with_cross_entropy, hyper.distance, hyper.margin, hyper.temperature, hyper.miner
    )
    loss_of = BatchLoss(shape, len(data.groups), hyper.dimension, generator)
    stratum = data.who.group.numpy()
    is_anchor = None
    if settings.roles == "disjoint":
        anchors = split_roles(stratum, seed)
        stratum, is_anchor = stratum * 2 + anchors, torch.from_numpy(anchors)
    # answers alone where the group embedding is their mean
    bags = _Bags(data, settings.prototypes if settings.center == "style" else 0, rng, is_anchor)
    partners = _Partners(data, rng) if settings.metric_loss == "same_question" else None
    optimizer = torch.optim.AdamW(
        [*net.parameters(), *loss_of.parameters()], lr=hyper.learning_rate, weight_decay=hyper.weight_decay
    )
    best, best_epoch, best_state = -1.0, 0, net.state_dict()
    epoch = 0
    for epoch in range(1, settings.max_epochs + 1):
        for group in optimizer.param_groups:
            group["lr"] = hyper.learning_rate * (1 + math.cos(math.pi * (epoch - 1) / settings.max_epochs)) / 2
        for batch in balanced_batches(stratum, hyper.batch_size, rng):
            style, who, roles = bags.with_prototypes(partners.added_to(batch) if partners else batch)
            loss = loss_of(net(style, generator), who, roles, _POSITIVES, generator)
            if loss is None:
                continue
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        accuracy = val_accuracy(net, data, hyper.distance, settings)
        if accuracy > best:
            best, best_epoch = accuracy, epoch
            best_state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        if report is not None:
            report(epoch, best)
        if epoch - best_epoch >= settings.patience:
            break
    net.load_state_dict(best_state)
    return Trained(net.eval(), best, epoch)


def _rotated(data: FitData, rotation: np.ndarray) -> FitData:
    """Standardized and rotated style vectors in place of the plain ones."""
    scale = EmbeddingNet(data.style.shape[1], 0, 1)
    scale.standardize(data.style)
    mean, std = scale.mean.double().numpy(), scale.std.double().numpy()

    def turn(style: np.ndarray) -> np.ndarray:
        return np.asarray((style - mean) / std @ rotation.T)

    return replace(
        data,
        style=torch.from_numpy(turn(data.style.double().numpy())).float(),
        prototypes=turn(data.prototypes),
        val_style=turn(data.val_style),
    )


class _Partners:
    """Adds to a batch, for each answer, one of another group to the same question, where there is any."""

    def __init__(self, data: FitData, rng: np.random.Generator) -> None:
        self.rng = rng
        group, question = data.who.group.numpy(), data.who.question.numpy()
        of_question: dict[int, list[int]] = {}
        for row, name in enumerate(question):
            of_question.setdefault(int(name), []).append(row)
        self.others = {
            row: [other for other in rows if group[other] != group[row]]
            for rows in of_question.values()
            if len({int(group[row]) for row in rows}) > 1
            for row in rows
        }

    def added_to(self, batch: np.ndarray) -> np.ndarray:
        """The batch, and the partners that it does not hold yet."""
        drawn = [int(self.rng.choice(self.others[int(row)])) for row in batch if int(row) in self.others]
        return np.concatenate([batch, np.setdiff1d(np.array(drawn, dtype=batch.dtype), batch)])


class _Bags:
    """Adds to a batch some medians of drawn train answers of each group, as further samples of the group.

    A group embedding is f of a median style vector, which no single answer resembles; without such samples the
    net is never trained where it is asked. Answers that share author or question with the batch are not drawn,
    and two prototypes of one group are no pair, so that the rule about positives holds for them, too.
    """

    def __init__(self, data: FitData, per_group: int, rng: np.random.Generator, is_anchor: torch.Tensor | None) -> None:
        self.data, self.per_group, self.rng, self.is_anchor = data, per_group, rng, is_anchor
        self.group, self.author, self.question = (
            t.numpy() for t in (data.who.group, data.who.author, data.who.question)
        )
        self.pool = np.ones(len(self.group), dtype=bool) if is_anchor is None else ~is_anchor.numpy()

    def with_prototypes(self, batch: np.ndarray) -> tuple[torch.Tensor, Identities, torch.Tensor | None]:
        """Style vectors, identities and (disjoint roles) the anchor flags of the batch and its prototypes."""
        index = torch.from_numpy(batch)
        style, who = self.data.style[index], self.data.who[index]
        roles = None if self.is_anchor is None else self.is_anchor[index]
        if not self.per_group:
            return style, who, roles
        taken_author = np.zeros(self.author.max() + 1, dtype=bool)
        taken_question = np.zeros(self.question.max() + 1, dtype=bool)
        taken_author[self.author[batch]] = taken_question[self.question[batch]] = True
        free = self.pool & ~taken_author[self.author] & ~taken_question[self.question]
        drawn, groups = [], []
        for g in range(len(self.data.groups)):
            members = np.flatnonzero(free & (self.group == g))
            if len(members) >= _BAG:
                drawn.append(members[self.rng.integers(len(members), size=(self.per_group, _BAG))])
                groups += [g] * self.per_group
        if not drawn:
            return style, who, roles
        medians = self.data.style[torch.from_numpy(np.concatenate(drawn))].median(dim=1).values
        group = torch.tensor(groups)
        own = -1 - group  # one author and question code for all prototypes of a group, that no answer has
        who = Identities(torch.cat([who.group, group]), torch.cat([who.author, own]), torch.cat([who.question, own]))
        if roles is not None:
            roles = torch.cat([roles, torch.zeros(len(group), dtype=torch.bool)])
        return torch.cat([style, medians]), who, roles
