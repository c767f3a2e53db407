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
from sociolect.common.schemas import CHAIN
from sociolect.common.seeds import seed_of
from sociolect.embedding.accuracy import near_of, slices
from sociolect.embedding.baselines import logistic_probabilities
from sociolect.embedding.resampling import Resampled
from sociolect.stylometry.stylometry import log_rates

__all__ = ["SCORES", "Link", "chain_table", "classified", "links", "stage_of"]

# the stage of the style vectors, by who scored them
SCORES = {"cross_encoder": "SFAM scores", "distilled": "student's scores", "measured": "calibrated measures"}


def stage_of(scorer: str) -> str:
    """Name of the stage of the style vectors that this scorer gave."""
    return SCORES.get(scorer, f"scores by {scorer}")


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
    rates = log_rates(measured)
    known = {"raw measures": rates, "attributes as described": calibrated >= THRESHOLD, **scored}
    known["embedding, by regression"] = embeddings
    found = [classified(stage, features, truth, is_train) for stage, features in known.items()]
    return [*found, Link("embedding, nearest group", near, embeddings.shape[1])]


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
    rows = []
    for split, part, index in slices(frame):
        if part == "train" or len(np.unique(truth[index])) < 2:
            continue
        boot = Resampled(question[index], truth[index], len(groups), resamples, confidence, seed_of(seed, split, part))
        before: np.ndarray | None = None
        for link in chain:
            values = boot.pairwise(link.near[index])
            lost = None if before is None else boot.interval(before - values)
            where = (link.stage, answers, split, part)
            rows.append((*where, *_three(boot.interval(values)), *_three(lost), len(index), link.width))
            before = values
    return CHAIN.frame(rows)


def _three(interval: tuple[float, float, float] | None) -> tuple[float | None, ...]:
    return (None, None, None) if interval is None else interval
