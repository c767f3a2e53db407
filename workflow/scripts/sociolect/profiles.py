"""Group profiles (N11), distinctive attributes (N14), and how far groups are apart (N9).

Every statistic is taken over an author's answers first and then over authors, so that one prolific author is not
the group. An answer whose author is unknown counts as an author of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from sociolect.artifacts import matrix, vectors
from sociolect.embedding.net import Distance, EmbeddingNet, distance_matrix, embed
from sociolect.errors import InputError
from sociolect.schemas import GROUP_DISTANCES
from sociolect.seeds import seed_of
from sociolect.settings import ProfileSettings, SteeringSettings
from sociolect.weights import calibrate_temperature, effective_number, softmax_weights, transform_profile

__all__ = [
    "AuthorStyles",
    "author_styles",
    "distinctive_attributes",
    "geometric_median",
    "group_distances",
    "group_embeddings",
    "group_statistic",
    "map_groups",
    "pair_accuracy",
    "profile_table",
    "selection_frequency",
]

Statistic = Literal["median", "mean", "usage"]
Center = Literal["style", "mean_embedding", "geometric_median"]
_ROUND = 12  # decimals to which gaps are compared, so that rounding decides no tie


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


def distinctive_attributes(
    q: np.ndarray, attribute_ids: Sequence[str], k: int, min_gap: float
) -> list[list[tuple[int, float]]]:
    """The k attributes of each group with the largest gap to the group that uses them second most often (N14).

    gap[g, a] = q[g, a] - max over h != g of q[h, a]. Only gaps > min_gap count, so that an attribute tied at the
    top belongs to nobody, and a group may get fewer than k or none. Order: gap, q (both falling), attribute id.

    Args:
        q: usage rate (or other statistic) [G, K].

    Returns:
        Per group: (attribute index, gap).
    """
    if len(q) < 2:
        raise InputError("distinctive attributes need at least two groups")
    gaps = np.round(_gaps(q), _ROUND)
    result = []
    for g in range(len(q)):
        own = [a for a in range(q.shape[1]) if gaps[g, a] > min_gap]
        own.sort(key=lambda a, g=g: (-gaps[g, a], -round(float(q[g, a]), _ROUND), attribute_ids[a]))  # type: ignore[misc]
        result.append([(a, float(gaps[g, a])) for a in own[:k]])
    return result


def selection_frequency(
    styles: AuthorStyles,
    statistic: Statistic,
    attribute_ids: Sequence[str],
    k: int,
    min_gap: float,
    resamples: int,
    seed: int,
) -> np.ndarray:
    """How often each attribute is distinctive for each group [G, K] when authors are drawn anew within groups."""
    rng = np.random.default_rng(seed)
    n_groups, n_attributes = len(styles.groups), styles.values.shape[1]
    drawn = np.empty((resamples, n_groups, n_attributes))
    for g in range(n_groups):
        own = styles.values[styles.group == g]
        if statistic == "median":
            for b in range(resamples):
                drawn[b, g] = np.median(own[rng.integers(len(own), size=len(own))], axis=0)
        else:
            times = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=resamples)
            drawn[:, g] = times @ own / len(own)
    hits = np.zeros((n_groups, n_attributes))
    for q in drawn:
        for g, chosen in enumerate(distinctive_attributes(q, attribute_ids, k, min_gap)):
            hits[g, [a for a, _ in chosen]] += 1
    return hits / resamples


def pair_accuracy(near: np.ndarray, truth: np.ndarray, g: int, h: int) -> float | None:
    """Balanced accuracy of telling groups g < h apart by the smaller of the columns g and h of `near` [n, G].

    A tie goes to g. None where one of the two groups has no answers.
    """
    own, other = near[truth == g], near[truth == h]
    if not len(own) or not len(other):
        return None
    right_own = float((own[:, g] <= own[:, h] + 1e-12).mean())
    right_other = float((other[:, g] > other[:, h] + 1e-12).mean())
    return (right_own + right_other) / 2


def group_distances(
    embeddings: np.ndarray,
    truth: Sequence[str],
    centers: np.ndarray,
    groups: Sequence[str],
    distance: Distance,
    alike_below: float,
) -> pl.DataFrame:
    """Distance of each pair of group embeddings against the spread within both groups (GROUP_DISTANCES).

    Args:
        embeddings: of val answers [n, D].
        truth: their groups.
        centers: group embeddings [G, D], in the order of `groups` (alphabetical).
        alike_below: pairs told apart with a lower balanced accuracy are flagged as alike.

    Raises:
        InputError: a group has no val answers.
    """
    number = {name: i for i, name in enumerate(groups)}
    index = np.array([number[t] for t in truth], dtype=np.int64)
    missing = sorted(set(groups) - set(truth))
    if missing:
        raise InputError(f"group {missing[0]!r} has no val answers; raise sampling.parts.val or leave it out")
    near = distance_matrix(embeddings, centers, distance)
    spread = [float(near[index == g, g].mean()) for g in range(len(groups))]
    between = distance_matrix(centers, centers, distance)
    rows = []
    for g in range(len(groups)):
        for h in range(g + 1, len(groups)):
            both = (spread[g] + spread[h]) / 2
            accuracy = pair_accuracy(near, index, g, h)
            assert accuracy is not None
            gap = float(between[g, h])
            ratio = gap / both if both > 0 else 0.0
            rows.append((groups[g], groups[h], gap, both, ratio, accuracy, accuracy < alike_below))
    return pl.DataFrame(rows, schema=list(GROUP_DISTANCES.columns), orient="row")


def profile_table(
    train: pl.DataFrame,
    attribute_ids: Sequence[str],
    net: EmbeddingNet,
    theta: float,
    profiles: ProfileSettings,
    steering: SteeringSettings,
    run_seed: int,
) -> pl.DataFrame:
    """The profile of every group (GROUPS), groups alphabetical, independent of the order of rows.

    Args:
        train: labelled train answers (answer_id, group, author, style).
        attribute_ids: the catalogue, in the order of the style vector.
        theta: SFAM threshold, for usage rates.

    Raises:
        InputError: style vectors and catalogue differ in width, or fewer than two groups.
    """
    train = train.sort("answer_id")
    style, groups, authors = matrix(train["style"]), train["group"].to_list(), train["author"].to_list()
    if style.shape[1] != len(attribute_ids):
        raise InputError(
            f"style vectors have {style.shape[1]} scores, the catalogue {len(attribute_ids)} attributes; label again"
        )
    statistics: tuple[Statistic, ...] = ("median", "mean", "usage")
    per_author = {s: author_styles(style, groups, authors, s, theta) for s in statistics}
    over = {s: group_statistic(styles, s) for s, styles in per_author.items()}
    center = group_embeddings(net, style, groups, authors, profiles.statistic, profiles.center, theta)
    by: Statistic = "usage" if profiles.distinctive_by == "usage" else profiles.statistic
    k, tau = profiles.distinctive_k, profiles.min_gap
    chosen = distinctive_attributes(over[by], attribute_ids, k, tau)
    frequency = selection_frequency(
        per_author[by], by, attribute_ids, k, tau, profiles.bootstrap, seed_of(run_seed, "profiles", "bootstrap")
    )
    names = {"style": profiles.statistic, "mean": "mean", "usage": "usage"}
    x = transform_profile(over[names[steering.statistic]], steering.transform)
    weights = np.stack([softmax_weights(row, calibrate_temperature(row, steering.n_eff)) for row in x])
    styles = per_author["mean"]
    return pl.DataFrame(
        [
            pl.Series("group", styles.groups, dtype=pl.String),
            pl.Series("n_answers", [groups.count(g) for g in styles.groups], dtype=pl.Int64),
            pl.Series("n_authors", styles.counts(), dtype=pl.Int64),
            vectors(over[profiles.statistic], "style"),
            vectors(over["mean"], "mean_style"),
            vectors(over["usage"], "usage"),
            vectors(center, "embedding"),
            _lists("distinctive", [[attribute_ids[a] for a, _ in row] for row in chosen], pl.String),
            _lists("distinctive_gap", [[gap for _, gap in row] for row in chosen], pl.Float64),
            _lists(
                "distinctive_frequency",
                [[float(frequency[g, a]) for a, _ in row] for g, row in enumerate(chosen)],
                pl.Float64,
            ),
            vectors(weights, "weights"),
            pl.Series("n_eff", [effective_number(w) for w in weights], dtype=pl.Float64),
        ]
    )


def map_groups(groups: Sequence[str], parents: Mapping[str, str]) -> list[str]:
    """Parent of each group (N6); a group without one stands for itself."""
    return [parents.get(group, group) for group in groups]


def _gaps(q: np.ndarray) -> np.ndarray:
    top_two = -np.partition(-q, 1, axis=0)[:2]
    # of equal leaders both see the other as second, hence gap 0
    second = np.where(q == top_two[0], top_two[1], top_two[0])
    return np.asarray(q - second)


def _lists(name: str, rows: list[list[str]] | list[list[float]], inner: type[pl.DataType]) -> pl.Series:
    return pl.Series(name, rows, dtype=pl.List(inner))
