"""Statistics of a group: over an author's answers first, then over authors, so that no prolific author is the group.

An answer whose author is unknown counts as an author of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sociolect.common.errors import InputError
from sociolect.embedding.net import EmbeddingNet, embed
from sociolect.settings.embedding import Center

__all__ = [
    "AuthorStyles",
    "author_styles",
    "center_of",
    "geometric_median",
    "group_embeddings",
    "group_statistic",
    "map_groups",
]


Statistic = Literal["median", "mean", "usage"]


@dataclass(frozen=True)
class AuthorStyles:
    """One row per author and group.

    Attributes:
        values: statistic over the author's answers in the group, [A, W].
        group: index into `groups`, [A].
        groups: group names, alphabetical.
    """

    values: np.ndarray
    group: np.ndarray
    groups: tuple[str, ...]

    def counts(self) -> np.ndarray:
        """Authors of each group [G]."""
        return np.bincount(self.group, minlength=len(self.groups))


def author_styles(
    values: np.ndarray,
    groups: Sequence[str],
    authors: Sequence[str | None],
    statistic: Statistic,
    theta: float = 0.5,
) -> AuthorStyles:
    """The statistic over each author's answers (in one group: an author of two groups is in both).

    Args:
        values: SFAM scores [n, K] (or embeddings [n, D]).
        groups: group of each answer.
        authors: author of each answer; None where unknown.
        statistic: median (of an even number: mean of the two middle values), mean, or usage (share >= theta).
        theta: SFAM threshold, for usage.

    Raises:
        InputError: a value is not finite, the lengths differ, or the statistic is unknown.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) == 0 or not len(values) == len(groups) == len(authors):
        raise InputError(f"{len(values)} style vectors, {len(groups)} groups, {len(authors)} authors: must be equal")
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise InputError(f"style vector of row {int(bad.argmax())} is not finite; label it again")
    if statistic == "usage":
        values = (values >= theta).astype(np.float64)
    elif statistic not in ("median", "mean"):
        raise InputError(f"unknown statistic {statistic!r}; use median, mean or usage")
    names = tuple(sorted(set(groups)))
    number = {name: i for i, name in enumerate(names)}
    members: dict[tuple[int, str], list[int]] = {}
    for row, (group, author) in enumerate(zip(groups, authors, strict=True)):
        # the leading letter keeps unknown authors apart from any author's name
        key = f"r{row:012d}" if author is None else f"a{author}"
        members.setdefault((number[group], key), []).append(row)
    reduce = np.median if statistic == "median" else np.mean
    keys = sorted(members)
    rows = [values[m[0]] if len(m) == 1 else reduce(values[m], axis=0) for m in (members[key] for key in keys)]
    return AuthorStyles(np.stack(rows), np.array([group for group, _ in keys]), names)


def group_statistic(styles: AuthorStyles, statistic: Statistic) -> np.ndarray:
    """The statistic over authors [G, W] (usage: the mean of the authors' shares), groups alphabetical."""
    reduce = np.median if statistic == "median" else np.mean
    return np.stack([reduce(styles.values[styles.group == g], axis=0) for g in range(len(styles.groups))])


def geometric_median(points: np.ndarray, tolerance: float = 1e-10, max_steps: int = 1000) -> np.ndarray:
    """The point [D] with the smallest sum of Euclidean distances to points [n, D].

    Weiszfeld's iteration with the step of Vardi and Zhang (2000), which does not stop at a data point that
    is not the median.
    """
    points = np.asarray(points, dtype=np.float64)
    current = np.median(points, axis=0)
    scale = float(np.abs(points - current).max()) or 1.0
    for _ in range(max_steps):
        distance = np.sqrt(np.square(points - current).sum(axis=1))
        away = distance > 1e-12 * scale
        if not away.any():
            break
        inverse = 1.0 / distance[away]
        target = (points[away] * inverse[:, None]).sum(axis=0) / inverse.sum()
        at_point = float((~away).sum())
        pull = float(np.linalg.norm(((points[away] - current) * inverse[:, None]).sum(axis=0)))
        stay = min(1.0, at_point / pull) if pull > 0 else float(at_point > 0)
        moved = (1.0 - stay) * target + stay * current
        if np.abs(moved - current).max() <= tolerance * scale:
            current = moved
            break
        current = moved
    return np.asarray(current)


def group_embeddings(
    net: EmbeddingNet,
    style: np.ndarray,
    groups: Sequence[str],
    authors: Sequence[str | None],
    statistic: Statistic = "median",
    center: Center = "style",
    theta: float = 0.5,
) -> np.ndarray:
    """Group embeddings c[g] [G, D], groups alphabetical.

    `style`: f(group statistic); `mean_embedding`: mean of f(s[i]), authors first; `geometric_median`: geometric
    median over authors of their mean f(s[i]).
    """
    if center == "style":
        return embed(net, group_statistic(author_styles(style, groups, authors, statistic, theta), statistic))
    means = author_styles(embed(net, style), groups, authors, "mean")
    if center == "mean_embedding":
        return group_statistic(means, "mean")
    if center == "geometric_median":
        return np.stack([geometric_median(means.values[means.group == g]) for g in range(len(means.groups))])
    raise InputError(f"unknown center {center!r}; use style, mean_embedding or geometric_median")


def center_of(configured: Center | Literal["trained"], hyper: Mapping[str, Any]) -> Center:
    """The kind of group embedding: the configured one, or for `trained` the one that the net's file names."""
    return hyper["center"] if configured == "trained" else configured


def map_groups(groups: Sequence[str], parents: Mapping[str, str]) -> list[str]:
    """Parent of each group; a group without one stands for itself."""
    return [parents.get(group, group) for group in groups]
