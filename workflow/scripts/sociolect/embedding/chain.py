"""Where the groups are lost: one classifier on what each stage of the way from text to group embedding knows.

All stages are fitted on the same train answers and measured on the same others; a resample of questions reuses their
predictions, so that the differences between stages are paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from sociolect.attributes.calibration import THRESHOLD
from sociolect.common.resamples import draw_counts
from sociolect.common.schemas import CHAIN
from sociolect.common.seeds import seed_of
from sociolect.embedding.accuracy import beats, near_of, slices
from sociolect.embedding.baselines import logistic_probabilities

__all__ = ["SCORES", "Link", "chain_table", "classified", "links", "pairwise"]

# the stage of the style vectors, by who scored them
SCORES = {"cross_encoder": "SFAM scores", "distilled": "student's scores", "measured": "calibrated measures"}


@dataclass(frozen=True)
class Link:
    """One stage: `near` [n, G] is smaller the nearer a group is; `width` is how many numbers it knows of an answer."""

    stage: str
    near: np.ndarray
    width: int


def classified(stage: str, features: np.ndarray, truth: np.ndarray, is_train: np.ndarray) -> Link:
    """A stage told apart by logistic regression.

    Args:
        features: what the stage knows [n, width].
        truth: index of the group [n].
        is_train: bool [n], what is fitted on.
    """
    probabilities = logistic_probabilities(np.asarray(features, dtype=np.float64), truth, is_train)
    return Link(stage, near_of(probabilities), features.shape[1])


def links(
    measured: np.ndarray,
    calibrated: np.ndarray,
    scored: Mapping[str, np.ndarray],
    embeddings: np.ndarray,
    near: np.ndarray,
    truth: np.ndarray,
    is_train: np.ndarray,
) -> list[Link]:
    """The stages of a run, in their order.

    Args:
        measured: raw measures [n, measures].
        calibrated: probabilities of the attributes by the calibration [n, K]; the describer says what is at or above
            its threshold.
        scored: stage -> style vectors [n, K].
        embeddings: of the net [n, D].
        near: distances to the group embeddings [n, G], the net's own rule.
        truth: index of the group [n].
        is_train: bool [n].
    """
    # rates are skewed: a few texts have many, most have none
    rates = np.log1p(np.maximum(measured, 0.0))
    known = {"raw measures": rates, "attributes as described": calibrated >= THRESHOLD, **scored}
    known["embedding, by regression"] = embeddings
    found = [classified(stage, features, truth, is_train) for stage, features in known.items()]
    return [*found, Link("embedding, nearest group", near, embeddings.shape[1])]


def pairwise(near: np.ndarray, truth: np.ndarray, clusters: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean balanced accuracy over pairs of groups in each resample [B].

    A pair counts where both of its groups have answers in the resample; a tie goes to the smaller group.

    Args:
        near: [n, G].
        truth: index of the group [n].
        clusters: index of the question [n].
        counts: how often each question is in each resample [B, questions].
    """
    n_groups, n_clusters = near.shape[1], counts.shape[1]
    hits = np.zeros((n_clusters * n_groups, n_groups), dtype=np.float32)
    np.add.at(hits, clusters * n_groups + truth, beats(near, truth).astype(np.float32))
    sizes = np.bincount(clusters * n_groups + truth, minlength=n_clusters * n_groups)
    drawn = counts.astype(np.float32)
    total = (drawn @ hits.reshape(n_clusters, -1)).reshape(-1, n_groups, n_groups).astype(np.float64)
    answers = (drawn @ sizes.reshape(n_clusters, n_groups).astype(np.float32)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        shares = total / answers[:, :, None]
    rows, columns = np.triu_indices(n_groups, 1)
    balanced = (shares[:, rows, columns] + shares[:, columns, rows]) / 2
    there = np.isfinite(balanced)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(there, balanced, 0.0).sum(axis=1) / there.sum(axis=1))


def chain_table(
    frame: pl.DataFrame,
    chain: Sequence[Link],
    groups: Sequence[str],
    resamples: int,
    confidence: float,
    seed: int,
    answers: str = "all",
) -> pl.DataFrame:
    """CHAIN of some stages, on val and test of each split and of all together.

    Args:
        frame: split, part, group and question_id of each answer.
        chain: the stages, each with the frame's rows.
        groups: alphabetical.
        resamples: of the questions.
        confidence: level of the intervals.
        seed: of this table.
        answers: which answers the frame has.
    """
    number = {name: i for i, name in enumerate(groups)}
    truth = np.array([number[g] for g in frame["group"]], dtype=np.int64)
    question = frame["question_id"].to_numpy()
    tails = [(1.0 - confidence) / 2, (1.0 + confidence) / 2]
    rows = []
    for split, part, index in slices(frame):
        if part == "train" or len(np.unique(truth[index])) < 2:
            continue
        names, clusters = np.unique(question[index], return_inverse=True)
        counts = draw_counts(len(names), resamples, seed_of(seed, split, part))
        counts = np.vstack([np.ones((1, len(names)), dtype=counts.dtype), counts])
        before: np.ndarray | None = None
        for link in chain:
            values = pairwise(link.near[index], truth[index], clusters, counts)
            lost = (None, None, None) if before is None else _with_interval(before - values, tails)
            where = (link.stage, answers, split, part)
            rows.append((*where, *_with_interval(values, tails), *lost, len(index), link.width))
            before = values
    return CHAIN.frame(rows)


def _with_interval(values: np.ndarray, tails: Sequence[float]) -> tuple[float, float, float]:
    """The value of the data, which comes first, and the percentile interval of its resamples."""
    drawn = values[1:][np.isfinite(values[1:])]
    low, high = np.quantile(drawn, tails)
    return float(values[0]), float(low), float(high)
