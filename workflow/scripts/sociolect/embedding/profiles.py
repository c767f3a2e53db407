"""Group profiles, distinctive attributes, and how far groups are apart.

Every statistic is taken over an author's answers first and then over authors, so that one prolific author is not
the group. An answer whose author is unknown counts as an author of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix, vectors
from sociolect.common.errors import InputError
from sociolect.common.schemas import GROUP_DISTANCES
from sociolect.common.seeds import seed_of
from sociolect.embedding.accuracy import pair_accuracy
from sociolect.embedding.net import Distance, EmbeddingNet, distance_matrix
from sociolect.embedding.statistics import AuthorStyles, Statistic, author_styles, group_embeddings, group_statistic
from sociolect.settings.embedding import Center, ProfileSettings

__all__ = ["distinctive_attributes", "group_distances", "profile_table", "selection_frequency"]

_ROUND = 12  # decimals to which gaps are compared, so that rounding decides no tie


def distinctive_attributes(
    q: np.ndarray, attribute_ids: Sequence[str], k: int, min_gap: float
) -> list[list[tuple[int, float]]]:
    """The k attributes of each group with the largest gap to the group that uses them second most often.

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
    center: Center,
    run_seed: int,
) -> pl.DataFrame:
    """The profile of every group (GROUPS), groups alphabetical, independent of the order of rows.

    Args:
        train: labeled train answers (answer_id, group, author, style).
        attribute_ids: the catalogue, in the order of the style vector.
        theta: SFAM threshold, for usage rates.
        center: kind of the group embedding.

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
    embeddings = group_embeddings(net, style, groups, authors, profiles.statistic, center, theta)
    by: Statistic = "usage" if profiles.distinctive_by == "usage" else profiles.statistic
    k, tau = profiles.distinctive_k, profiles.min_gap
    chosen = distinctive_attributes(over[by], attribute_ids, k, tau)
    frequency = selection_frequency(
        per_author[by], by, attribute_ids, k, tau, profiles.bootstrap, seed_of(run_seed, "profiles", "bootstrap")
    )
    styles = per_author["mean"]
    return pl.DataFrame(
        [
            pl.Series("group", styles.groups, dtype=pl.String),
            pl.Series("n_answers", [groups.count(g) for g in styles.groups], dtype=pl.Int64),
            pl.Series("n_authors", styles.counts(), dtype=pl.Int64),
            vectors(over[profiles.statistic], "style"),
            vectors(over["mean"], "mean_style"),
            vectors(over["usage"], "usage"),
            vectors(embeddings, "embedding"),
            _lists("distinctive", [[attribute_ids[a] for a, _ in row] for row in chosen], pl.String),
            _lists("distinctive_gap", [[gap for _, gap in row] for row in chosen], pl.Float64),
            _lists(
                "distinctive_frequency",
                [[float(frequency[g, a]) for a, _ in row] for g, row in enumerate(chosen)],
                pl.Float64,
            ),
        ]
    )


def _gaps(q: np.ndarray) -> np.ndarray:
    top_two = -np.partition(-q, 1, axis=0)[:2]
    # of equal leaders both see the other as second, hence gap 0
    second = np.where(q == top_two[0], top_two[1], top_two[0])
    return np.asarray(q - second)


def _lists(name: str, rows: list[list[str]] | list[list[float]], inner: type[pl.DataType]) -> pl.Series:
    return pl.Series(name, rows, dtype=pl.List(inner))
