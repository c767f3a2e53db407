"""Search of the hyper-parameters and training of the net."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import optuna
import polars as pl
import torch

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.schemas import TRIALS
from sociolect.common.seeds import seed_of
from sociolect.embedding.net import Distance, EmbeddingNet, distance_matrix, embed, nearest_index
from sociolect.embedding.statistics import author_styles, group_statistic
from sociolect.embedding.triplets import Identities, Miner, balanced_batches, find_triplets, split_roles, triplet_loss
from sociolect.settings.embedding import EmbeddingSettings

__all__ = ["FitData", "Hyper", "Trained", "best_trial", "fit_data", "train_net", "trial_seed", "tune"]

_POSITIVES = 2  # positives drawn per anchor and batch: more cost time and gain nothing
_BAG = 15  # answers whose median is one prototype; odd, so that a median is a value that occurs


@dataclass(frozen=True)
class Hyper:
    """Hyper-parameters of one net."""

    distance: Distance
    margin: float
    width: int
    dimension: int
    dropout: float
    learning_rate: float
    batch_size: int
    miner: Miner


@dataclass(frozen=True)
class FitData:
    """What a net is trained on and chosen by.

    Attributes:
        groups: names, alphabetical.
        style: train style vectors [n, K], float32.
        who: identities of the train answers.
        prototypes: median train style vector of each group, authors first [G, K].
        val_style: [m, K].
        val_group: index into `groups` [m].
    """

    groups: tuple[str, ...]
    style: torch.Tensor
    who: Identities
    prototypes: np.ndarray
    val_style: np.ndarray
    val_group: np.ndarray


@dataclass(frozen=True)
class Trained:
    """A net with the weights of its best epoch."""

    net: EmbeddingNet
    accuracy: float
    epochs: int


def fit_data(frame: pl.DataFrame) -> FitData:
    """Train and val of labeled answers (SAMPLES columns, `style`), independent of their order.

    Raises:
        InputError: a group has no train or no val answers.
    """
    frame = frame.sort("answer_id")
    groups = tuple(sorted(frame["group"].unique()))
    train, val = (frame.filter(pl.col("part") == part) for part in ("train", "val"))
    for part, rows in (("train", train), ("val", val)):
        lacking = sorted(set(groups) - set(rows["group"].unique()))
        if lacking:
            raise InputError(f"group {lacking[0]!r} has no {part} answers; change sampling.parts or the minimum")
    style = matrix(train["style"])
    styles = author_styles(style, train["group"].to_list(), train["author"].to_list(), "median")
    author = train.select(pl.coalesce("a" + pl.col("author"), "r" + pl.col("answer_id")).alias("author"))["author"]
    return FitData(
        groups=groups,
        style=torch.tensor(style, dtype=torch.float32),
        who=Identities(
            torch.tensor([groups.index(g) for g in train["group"]]), _codes(author), _codes(train["question_id"])
        ),
        prototypes=group_statistic(styles, "median"),
        val_style=matrix(val["style"]),
        val_group=np.array([groups.index(g) for g in val["group"]]),
    )


def train_net(
    data: FitData,
    hyper: Hyper,
    settings: EmbeddingSettings,
    seed: int,
    report: Callable[[int, float], None] | None = None,
) -> Trained:
    """Train one net; keep the weights of the epoch with the best val accuracy (the first of equals).

    Args:
        seed: decides weights, dropout, batches, drawn positives and roles.
        report: called with (epoch, accuracy) after each epoch; may raise optuna.TrialPruned.
    """
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = EmbeddingNet(data.style.shape[1], hyper.width, hyper.dimension, hyper.dropout)
    net.standardize(data.style)
    net.reset(generator)
    stratum = data.who.group.numpy()
    is_anchor = None
    if settings.roles == "disjoint":
        anchors = split_roles(stratum, seed)
        stratum, is_anchor = stratum * 2 + anchors, torch.from_numpy(anchors)
    bags = _Bags(data, settings.prototypes, rng, is_anchor)
    optimizer = torch.optim.AdamW(net.parameters(), lr=hyper.learning_rate, weight_decay=1e-2)
    best, best_epoch, best_state = -1.0, 0, net.state_dict()
    epoch = 0
    for epoch in range(1, settings.max_epochs + 1):
        for batch in balanced_batches(stratum, hyper.batch_size, rng):
            style, who, roles = bags.with_prototypes(batch)
            out = net(style, generator)
            found = find_triplets(out, who, hyper.distance, hyper.margin, hyper.miner, roles, _POSITIVES, generator)
            if not len(found[0]):
                continue
            optimizer.zero_grad()
            triplet_loss(out, who, found, hyper.distance, hyper.margin).backward()
            optimizer.step()
        accuracy = val_accuracy(net, data, hyper.distance)
        if accuracy > best:
            best, best_epoch = accuracy, epoch
            best_state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        if report is not None:
            report(epoch, best)
        if epoch - best_epoch >= settings.patience:
            break
    net.load_state_dict(best_state)
    return Trained(net.eval(), best, epoch)


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


def val_accuracy(net: EmbeddingNet, data: FitData, distance: Distance) -> float:
    """Nearest-group macro accuracy on val, against f(median train style vector) of each group."""
    near = nearest_index(distance_matrix(embed(net, data.val_style), embed(net, data.prototypes), distance))
    right = near == data.val_group
    return float(np.mean([right[data.val_group == g].mean() for g in range(len(data.groups))]))


def trial_seed(run_seed: int, number: int) -> int:
    """Seed of a trial's net; the final net takes that of the best trial, and so comes out the same."""
    return seed_of(run_seed, "embedding", "trial", number)


def tune(
    data: FitData,
    settings: EmbeddingSettings,
    run_seed: int,
    progress: Report | None = None,
) -> pl.DataFrame:
    """Search by TPE, pruned by the median of earlier trials, in one process: a table of trials (TRIALS).

    The objective is the val accuracy of nearest group embeddings, not the loss, which scales with the margin.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # numpy's generators of the sampler take 32 bits
    sampler = optuna.samplers.TPESampler(seed=seed_of(run_seed, "embedding", "sampler") % 2**32, n_startup_trials=10)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)

    def objective(trial: optuna.Trial) -> float:
        def report(epoch: int, accuracy: float) -> None:
            trial.set_user_attr("epochs", epoch)
            trial.report(accuracy, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        trained = train_net(data, suggest(trial, settings), settings, trial_seed(run_seed, trial.number), report)
        return trained.accuracy

    for done in range(settings.n_trials):
        study.optimize(objective, n_trials=1)
        if progress is not None:
            progress(done + 1, settings.n_trials, f"best val accuracy {study.best_value:.3f}")
    complete = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
    best = min((t for t in complete if t.value == study.best_value), key=lambda t: t.number)
    states = {"COMPLETE": "complete", "PRUNED": "pruned"}
    rows = [
        {
            "trial": t.number,
            "state": states.get(t.state.name, "failed"),
            "value": t.value,
            "epochs": t.user_attrs.get("epochs"),
            "params": json.dumps(t.params, sort_keys=True),
            "chosen": t.number == best.number,
        }
        for t in study.trials
    ]
    return TRIALS.frame(rows)


def suggest(trial: optuna.Trial, settings: EmbeddingSettings) -> Hyper:
    """One point of the configured search space."""
    point: dict[str, Any] = {
        "distance": trial.suggest_categorical("distance", settings.distances),
        "margin": trial.suggest_float("margin", *settings.margin, log=True),
        "width": trial.suggest_categorical("width", settings.widths),
        "dimension": trial.suggest_categorical("dimension", settings.dimensions),
        "dropout": trial.suggest_float("dropout", *settings.dropout),
        "learning_rate": trial.suggest_float("learning_rate", *settings.learning_rate, log=True),
        "batch_size": trial.suggest_categorical("batch_size", settings.batch_sizes),
        "miner": trial.suggest_categorical("miner", settings.miners),
    }
    return Hyper(**point)


def best_trial(trials: pl.DataFrame) -> tuple[int, Hyper, float]:
    """Number, hyper-parameters and val accuracy of the chosen trial.

    Raises:
        InputError: no trial, or more than one, is chosen.
    """
    chosen = trials.filter(pl.col("chosen"))
    if chosen.height != 1:
        raise InputError(f"{chosen.height} trials are marked as chosen, expected one; run tune_embedding again")
    row = chosen.row(0, named=True)
    return row["trial"], Hyper(**json.loads(row["params"])), row["value"]


def describe_hyper(hyper: Hyper) -> dict[str, object]:
    """Hyper-parameters as plain values."""
    return asdict(hyper)


def _codes(series: pl.Series) -> torch.Tensor:
    return torch.from_numpy(series.rank("dense").cast(pl.Int64).to_numpy().copy())
