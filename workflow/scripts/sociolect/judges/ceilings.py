"""How often each judge knows the group of a human answer: no steered text can be expected to do better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.resamples import draw_counts

__all__ = ["StyleModel", "ceiling_table"]

_TYPES = {
    "judge": pl.String,
    "sees": pl.String,
    "group": pl.String,
    "n": pl.Int64,
    "accuracy": pl.Float64,
    "macro": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "chance": pl.Float64,
}


class Named(Protocol):
    """What is known of a judge here."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def sees(self) -> str:
        """style, topic or both."""
        ...

    @property
    def groups(self) -> tuple[str, ...]:
        """Columns of its probabilities."""
        ...


class StyleModel(NamedTuple):
    """The labeler with the net, as a judge."""

    name: str
    sees: str
    groups: tuple[str, ...]


def ceiling_table(
    judges: Sequence[Named],
    probabilities: Mapping[str, np.ndarray],
    groups: Sequence[str],
    questions: Sequence[str],
    resamples: int,
    seed: int,
    confidence: float,
) -> pl.DataFrame:
    """Accuracy of each judge: a row for all texts (group null), then one for each of its groups.

    A text counts as wrong where the judge says nothing (NaN, an empty text), and, where groups are equally probable,
    as the first of them. Resamples of questions are drawn once, for all judges and groups.

    Args:
        judges: as they judged.
        probabilities: by judge [n, G], from `judge_texts`.
        groups: true group of each text [n].
        questions: question of each text [n].
        resamples: number B of resamples.
        seed: of the draws.
        confidence: level of the intervals.

    Returns:
        judge, sees, group, n, accuracy (share right), macro (its mean over the groups that have texts; null in rows of
        a group), low and high (percentile interval of macro, of accuracy in rows of a group), chance.

    Raises:
        InputError: no texts, or a text of a group that a judge does not know.
    """
    if not len(groups):
        raise InputError("the judges' ceilings need at least one human text")
    names, question = np.unique(np.asarray(questions, dtype=str), return_inverse=True)
    # the first row is the sample itself
    counts = np.vstack([np.ones(len(names)), draw_counts(len(names), resamples, seed)])
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    rows = []
    for judge in judges:
        unknown = sorted(set(groups) - set(judge.groups))
        if unknown:
            raise InputError(f"texts of group {unknown[0]!r}, which the judge {judge.name!r} was not fitted on")
        truth = np.array([judge.groups.index(group) for group in groups])
        found = _rows(_right(probabilities[judge.name], truth), truth, question, counts, judge.groups, tails)
        rows += [{"judge": judge.name, "sees": judge.sees, "chance": 1 / len(judge.groups), **row} for row in found]
    return pl.DataFrame(rows, schema=_TYPES)


def _right(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether the most probable group is the true one, bool [n]."""
    known = np.isfinite(probabilities).all(axis=1)
    return np.asarray(known & (np.where(known[:, None], probabilities, 0.0).argmax(axis=1) == truth))


def _rows(
    right: np.ndarray,
    truth: np.ndarray,
    question: np.ndarray,
    counts: np.ndarray,
    groups: Sequence[str],
    tails: Sequence[float],
) -> list[dict[str, object]]:
    """Rows of one judge, without its name.

    Args:
        right: bool [n].
        truth: group of each text [n], from 0.
        question: its question [n], from 0.
        counts: how often each question counts [1 + B, questions].
        groups: [G].
        tails: quantiles of the interval.
    """
    hit, tried = np.zeros((2, counts.shape[1], len(groups)))
    np.add.at(hit, (question, truth), right)
    np.add.at(tried, (question, truth), 1)
    hits, tries = counts @ hit, counts @ tried
    rates = np.divide(hits, tries, out=np.full_like(hits, np.nan), where=tries > 0)
    accuracy = hits[0].sum() / tries[0].sum()
    macro = np.nanmean(rates, axis=1)
    rows: list[dict[str, object]] = [
        {"group": None, "n": len(truth), "accuracy": accuracy, "macro": macro[0], **_interval(macro[1:], tails)}
    ]
    for g, group in enumerate(groups):
        share = float(rates[0, g]) if np.isfinite(rates[0, g]) else None
        n = int(tried[:, g].sum())
        rows.append({"group": group, "n": n, "accuracy": share, "macro": None, **_interval(rates[1:, g], tails)})
    return rows


def _interval(values: np.ndarray, tails: Sequence[float]) -> dict[str, float | None]:
    values = values[np.isfinite(values)]
    if not len(values):
        return {"low": None, "high": None}
    low, high = np.quantile(values, tails)
    return {"low": float(low), "high": float(high)}
