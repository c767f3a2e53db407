"""What a net is trained on and chosen by: train and val of an experiment as tensors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.embedding.statistics import author_styles, group_statistic
from sociolect.embedding.triplets import Identities

__all__ = ["FitData", "fit_data", "permuted", "subsample"]


@dataclass(frozen=True)
class FitData:
    """What a net is trained on and chosen by.

    Attributes:
        groups: names, alphabetical.
        style: train style vectors [n, K], float32.
        who: identities of the train answers.
        weight: share of each train answer in its group's mean, authors first [n], float32; 1 in sum for each group.
        prototypes: median train style vector of each group, authors first [G, K].
        val_style: [m, K].
        val_group: index into `groups` [m].
    """

    groups: tuple[str, ...]
    style: torch.Tensor
    who: Identities
    weight: torch.Tensor
    prototypes: np.ndarray
    val_style: np.ndarray
    val_group: np.ndarray


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
    author = train.select(pl.coalesce("a" + pl.col("author"), "r" + pl.col("answer_id")).alias("author"))["author"]
    who = Identities(
        torch.tensor([groups.index(g) for g in train["group"]]), _codes(author), _codes(train["question_id"])
    )
    return _with_statistics(
        FitData(
            groups=groups,
            style=torch.tensor(matrix(train["style"]), dtype=torch.float32),
            who=who,
            weight=torch.zeros(train.height),
            prototypes=np.zeros(0),
            val_style=matrix(val["style"]),
            val_group=np.array([groups.index(g) for g in val["group"]]),
        )
    )


def subsample(data: FitData, share: float, seed: int) -> FitData:
    """The same with a share of each group's train answers, at least two of them; val stays whole."""
    rng = np.random.default_rng(seed)
    group = data.who.group.numpy()
    kept = []
    for g in range(len(data.groups)):
        members = np.flatnonzero(group == g)
        kept.append(rng.permutation(members)[: max(2, round(share * len(members)))])
    index = torch.from_numpy(np.sort(np.concatenate(kept)))
    return _with_statistics(replace(data, style=data.style[index], who=data.who[index]))


def permuted(data: FitData, seed: int) -> FitData:
    """The same with the groups of the train answers permuted: what is learned from it tells nothing."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(data.style)))
    who = Identities(data.who.group[order], data.who.author, data.who.question)
    return _with_statistics(replace(data, who=who))


def _with_statistics(data: FitData) -> FitData:
    group, author = data.who.group.numpy(), data.who.author.numpy()
    style = data.style.double().numpy()
    names = [data.groups[g] for g in group]
    styles = author_styles(style, names, [str(a) for a in author], "median")
    _, pair, answers = np.unique(np.stack([group, author]), axis=1, return_inverse=True, return_counts=True)
    of_author = answers[pair.ravel()]
    authors = styles.counts()[group]
    weight = torch.from_numpy(1.0 / (of_author * authors)).float()
    return replace(data, weight=weight, prototypes=group_statistic(styles, "median"))


def _codes(series: pl.Series) -> torch.Tensor:
    return torch.from_numpy(series.rank("dense").cast(pl.Int64).to_numpy().copy())
