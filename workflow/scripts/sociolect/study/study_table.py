"""The study's table: accuracy of every cell with intervals over questions, and paired differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.resamples import draw_counts
from sociolect.common.schemas import STUDY
from sociolect.common.seeds import seed_of
from sociolect.settings.study import REFERENCE, StudyCell, StudySettings

__all__ = ["study_table"]

_KEYS = ("cell", "center", "level", "part")


def study_table(
    answers: Mapping[str, pl.DataFrame], cells: Mapping[str, StudyCell], study: StudySettings, run_seed: int
) -> pl.DataFrame:
    """STUDY of the cells, each by the center that its map is made for; of the reference also by all others.

    The accuracy over pairs is the mean over groups of the share of other groups that are farther than an answer's own.
    A resample of the questions is the same for all cells, so that differences are paired.

    Args:
        answers: cell -> STUDY_ANSWERS, the reference among them.
        cells: the grid.
    """
    values: dict[tuple[str, ...], np.ndarray] = {}
    rows: list[dict[str, Any]] = []
    drawn: dict[tuple[str, str], tuple[list[str], np.ndarray]] = {}
    # a cell of parents where no group has one tells nothing
    answers = {name: table for name, table in answers.items() if table.height}
    for name, table in answers.items():
        own = table["center"][0]
        for (center, level, part), told in table.group_by("center", "level", "part", maintain_order=True):
            if center != own and name != REFERENCE:
                continue
            key = (str(level), str(part))
            if key not in drawn:
                questions = told["question_id"].unique().sort().to_list()
                counts = draw_counts(len(questions), study.resamples, seed_of(run_seed, "study", *key))
                drawn[key] = questions, np.vstack([np.ones((1, len(questions)), dtype=counts.dtype), counts])
            found = values[name, str(center), *key] = _resampled(told, *drawn[key])
            rows.append(
                {
                    "axis": cells[name].axis if center == own else "center",
                    "shown": cells[name].shown if center == own else f"group embedding by {center}",
                    **dict(zip(_KEYS, (name, center, *key), strict=True)),
                    **_interval(found, "pairwise", "low", "high", study.confidence),
                    "macro": _over_seeds(told, "hit")[0],
                    "spread": _over_seeds(told, "pairs")[1],
                    "n": told["answer_id"].n_unique(),
                    "seeds": told["seed"].n_unique(),
                }
            )
    own_of = {name: table["center"][0] for name, table in answers.items()}
    for row in rows:
        other = REFERENCE if row["axis"] == "center" else cells[row["cell"]].against
        base = None if other is None else values.get((other, own_of.get(other, ""), row["level"], row["part"]))
        names = ("difference", "difference_low", "difference_high")
        row["against"] = other if base is not None else None
        found = values[row["cell"], row["center"], row["level"], row["part"]]
        row |= dict.fromkeys(names) if base is None else _interval(found - base, *names, study.confidence)
    return STUDY.frame([{column: row[column] for column in STUDY.columns} for row in rows])


def _resampled(told: pl.DataFrame, questions: list[str], counts: np.ndarray) -> np.ndarray:
    """Accuracy over pairs in each resample [B], mean over seeds; a group that a resample leaves out does not count.

    Args:
        told: rows of one part.
        questions: names of the columns of `counts`.
        counts: how often each question is in each resample [B, questions].
    """
    groups = told["group"].unique().sort().to_list()
    place = {question: i for i, question in enumerate(questions)}
    sums, sizes = np.zeros((2, len(questions), len(groups)))
    for question, group, total, n in told.group_by("question_id", "group").agg(pl.sum("pairs"), pl.len()).iter_rows():
        where = place[question], groups.index(group)
        sums[where], sizes[where] = total, n
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nanmean((counts @ sums) / (counts @ sizes), axis=1))


def _over_seeds(told: pl.DataFrame, what: str) -> tuple[float, float | None]:
    """Mean and standard deviation over seeds of the mean over groups; no deviation of one seed."""
    value = pl.col("pairs") if what == "pairs" else (pl.col("nearest") == pl.col("group")).cast(pl.Float64)
    of_seed = told.group_by("seed", "group").agg(value.mean().alias("value")).group_by("seed").agg(pl.mean("value"))
    found = of_seed.sort("seed")["value"].to_numpy()
    return float(found.mean()), float(found.std(ddof=1)) if len(found) > 1 else None


def _interval(values: np.ndarray, name: str, low: str, high: str, confidence: float) -> dict[str, float]:
    """The value of the data, which comes first, and the percentile interval of its resamples."""
    tails = np.quantile(values[1:], [(1 - confidence) / 2, (1 + confidence) / 2])
    return {name: float(values[0]), low: float(tails[0]), high: float(tails[1])}
