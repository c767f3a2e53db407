"""How well groups are told apart: one long table for the net and for the baselines.

Every model gives a matrix `near` [n, G], in which a smaller value means a nearer group: distances to the group
embeddings, or minus log probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.common.schemas import ACCURACY
from sociolect.common.seeds import seed_of
from sociolect.embedding.net import Distance, distance_matrix, nearest_index
from sociolect.embedding.statistics import map_groups

__all__ = [
    "accuracy_of_levels",
    "accuracy_table",
    "beats",
    "macro",
    "measure_groups",
    "near_of",
    "pair_accuracy",
    "parent_columns",
    "slices",
    "triplet_accuracy",
]

ALL = "all"


def slices(frame: pl.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    """(split, part, row numbers) of each split and part that has answers, and of all splits together."""
    split, part = frame["split"].to_numpy(), frame["part"].to_numpy()
    for name in (*frame["split"].unique(maintain_order=True), ALL):
        for piece in ("train", "val", "test"):
            rows = np.flatnonzero(((split == name) | (name == ALL)) & (part == piece))
            if len(rows):
                yield name, piece, rows


def near_of(probabilities: np.ndarray) -> np.ndarray:
    """Minus log probabilities [n, G]: the smallest is the most probable group, also of any two groups alone."""
    return np.asarray(-np.log(np.maximum(probabilities, 1e-300)))


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


def beats(near: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether an answer's own group is nearer than each other group, bool [n, G]; a tie goes to the smaller name."""
    own = np.take_along_axis(near, truth[:, None], axis=1)
    first = truth[:, None] < np.arange(near.shape[1])
    return np.where(first, own <= near + 1e-12, near > own + 1e-12)


def macro(found: np.ndarray, truth: np.ndarray) -> float:
    """Share of right answers, mean over the groups present: of indices of groups found [n] and true [n]."""
    right = found == truth
    return float(np.mean([right[truth == g].mean() for g in np.unique(truth)]))


def measure_groups(near: np.ndarray, truth: np.ndarray, groups: Sequence[str]) -> list[dict[str, Any]]:
    """Accuracies of one slice.

    `nearest_group`: share of answers whose nearest group is theirs; `macro`: mean of that over the groups present;
    `pair`: balanced accuracy of telling two groups apart, of those two only; `pairwise`: its mean over pairs;
    `confusion`: share of a group's answers that are nearest to each group. A tie goes to the smaller name.

    Args:
        near: [n, G], columns in the order of `groups` (alphabetical).
        truth: index of the true group [n].
    """
    found = nearest_index(near)
    present = [int(g) for g in np.unique(truth)]
    chance = 1 / len(groups)
    rows = [
        _row("nearest_group", float((found == truth).mean()), chance, len(truth)),
        _row("macro", macro(found, truth), chance, len(truth)),
    ]
    pairs = []
    for i, g in enumerate(present):
        for h in present[i + 1 :]:
            value = pair_accuracy(near, truth, g, h)
            assert value is not None
            n = int(((truth == g) | (truth == h)).sum())
            pairs.append(_row("pair", value, 0.5, n, groups[g], groups[h]))
    if pairs:
        rows.append(_row("pairwise", float(np.mean([p["value"] for p in pairs])), 0.5, len(truth)))
    rows += pairs
    for g in present:
        own = found[truth == g]
        shares = np.bincount(own, minlength=len(groups)) / len(own)
        rows += [
            _row("confusion", float(share), None, len(own), groups[g], other)
            for other, share in zip(groups, shares, strict=True)
        ]
    return rows


def triplet_accuracy(
    embeddings: np.ndarray,
    truth: np.ndarray,
    authors: np.ndarray,
    questions: np.ndarray,
    distance: Distance,
    seed: int,
    n_triplets: int = 5000,
) -> tuple[float, int] | None:
    """Share of drawn triplets whose positive is nearer than their negative (a tie counts half), and their number.

    Anchors are drawn at random; a positive shares the group but neither author nor question, a negative is of
    another group. None where there is no such triplet.

    Args:
        authors: author codes [n], unknown authors all different.
        questions: question codes [n].
    """
    rng = np.random.default_rng(seed)
    n = len(truth)
    anchor, positive, negative = rng.integers(n, size=(3, 8 * n_triplets))
    fits = (
        (truth[anchor] == truth[positive])
        & (authors[anchor] != authors[positive])
        & (questions[anchor] != questions[positive])
        & (truth[anchor] != truth[negative])
    )
    kept = np.flatnonzero(fits)[:n_triplets]
    if not len(kept):
        return None
    a, p, m = (embeddings[index[kept]] for index in (anchor, positive, negative))
    gap = _rowwise(a, m, distance) - _rowwise(a, p, distance)
    return float(((gap > 1e-12) + 0.5 * (np.abs(gap) <= 1e-12)).mean()), len(kept)


def accuracy_table(
    frame: pl.DataFrame,
    models: Mapping[str, np.ndarray],
    groups: Sequence[str],
    level: str,
    run_seed: int,
    embeddings: np.ndarray | None = None,
    distance: Distance = "euclidean",
) -> pl.DataFrame:
    """ACCURACY rows of one level for all models, by split and part.

    Args:
        frame: split, part, group (of this level), author, question_id, answer_id of each answer.
        models: name -> near [n, G] for the rows of the frame.
        groups: alphabetical.
        embeddings: of the net [n, D], for triplet accuracy.
    """
    number = {name: i for i, name in enumerate(groups)}
    truth = np.array([number[g] for g in frame["group"]])
    authors = frame.select(pl.coalesce("a" + pl.col("author"), "r" + pl.col("answer_id")).rank("dense"))
    author = authors.to_series().to_numpy()
    question = frame["question_id"].rank("dense").to_numpy()
    rows: list[dict[str, Any]] = []
    for split, part, index in slices(frame):
        where = {"level": level, "split": split, "part": part}
        for name, near in models.items():
            rows += [{"model": name, **where, **row} for row in measure_groups(near[index], truth[index], groups)]
        if embeddings is not None:
            seed = seed_of(run_seed, "triplet accuracy", level, split, part)
            found = triplet_accuracy(embeddings[index], truth[index], author[index], question[index], distance, seed)
            if found is not None:
                rows.append({"model": "net", **where, **_row("triplet", found[0], 0.5, found[1])})
    return ACCURACY.frame(rows)


def accuracy_of_levels(
    frame: pl.DataFrame,
    probabilities: Mapping[str, np.ndarray],
    centers: Mapping[str, np.ndarray],
    parents: Mapping[str, str],
    distance: Distance,
    run_seed: int,
) -> pl.DataFrame:
    """ACCURACY of the net and the baselines for leaf groups and, where they differ, parent groups.

    A parent's probability is the sum over its groups; its center is made of all its members' answers.

    Args:
        frame: SAMPLES columns, `split` and `embedding`, all groups of the experiment.
        probabilities: baseline -> [n, G].
        centers: group embeddings of level `leaf` [G, D] and `parent` [P, D], alphabetical.
        parents: group -> parent; a group without one stands for itself.

    Raises:
        InputError: the centers are not those of the frame's groups.
    """
    embeddings = matrix(frame["embedding"])
    groups = sorted(frame["group"].unique())
    above = map_groups(groups, parents)
    tables = []
    for level, names in (("leaf", groups), ("parent", sorted(set(above)))):
        if level == "parent" and (above == groups or len(names) < 2):
            continue
        if len(centers[level]) != len(names):
            raise InputError(f"{len(centers[level])} {level} centers for {len(names)} groups; run profile_groups again")
        near = {"net": distance_matrix(embeddings, centers[level], distance)}
        for model, leaf in probabilities.items():
            near[model] = near_of(leaf if level == "leaf" else parent_columns(leaf, groups, above))
        table = frame
        if level == "parent":
            table = frame.with_columns(pl.Series("group", map_groups(frame["group"].to_list(), parents)))
        tables.append(accuracy_table(table, near, names, level, run_seed, embeddings, distance))
    return pl.concat(tables)


def parent_columns(probabilities: np.ndarray, groups: Sequence[str], parents: Sequence[str]) -> np.ndarray:
    """Probabilities of parent groups [n, P]: sums over their members, parents alphabetical.

    Args:
        probabilities: [n, G].
        groups: names of the columns.
        parents: parent of each column.
    """
    names = sorted(set(parents))
    return np.stack([probabilities[:, [p == name for p in parents]].sum(axis=1) for name in names], axis=1)


def _row(
    measure: str, value: float, chance: float | None, n: int, group: str | None = None, other: str | None = None
) -> dict[str, Any]:
    return {"measure": measure, "group": group, "other": other, "value": value, "chance": chance, "n": n}


def _rowwise(a: np.ndarray, b: np.ndarray, distance: Distance) -> np.ndarray:
    if distance == "euclidean":
        return np.sqrt(np.square(a - b).sum(axis=1))
    scale = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return 1.0 - np.divide((a * b).sum(axis=1), scale, out=np.zeros(len(a)), where=scale > 0)
