"""One row of measurements per generation: nearest groups, the three metrics, topic and relevance, damage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.artifacts import vectors
from sociolect.common.errors import InputError
from sociolect.common.schemas import NEAREST, SCORES
from sociolect.embedding.net import Distance, distance_matrix
from sociolect.evaluation.damage import words_of
from sociolect.evaluation.metrics import (
    Changes,
    Directions,
    group_changes,
    group_directions,
    nearest_groups,
    require_finite,
)
from sociolect.evaluation.text_metrics import METRICS
from sociolect.generation.conditions import BASELINE, unsteered

__all__ = ["Centers", "nearest_table", "score_table"]


@dataclass(frozen=True)
class Centers:
    """Group embeddings c [G, D], group names alphabetical, and the distance they are compared by."""

    groups: tuple[str, ...]
    embeddings: np.ndarray
    distance: Distance

    def index(self, groups: Sequence[str]) -> np.ndarray:
        """Index of each named group.

        Raises:
            InputError: a group that has no embedding.
        """
        number = {name: i for i, name in enumerate(self.groups)}
        strange = sorted(set(groups) - set(number))
        if strange:
            raise InputError(f"group {strange[0]!r} has no group embedding; there are {', '.join(self.groups)}")
        return np.array([number[g] for g in groups], dtype=np.int64)

    def names(self, index: np.ndarray) -> list[str]:
        """Names of the groups with these indices."""
        return [self.groups[i] for i in index]


def score_table(
    generations: pl.DataFrame,
    embeddings: np.ndarray,
    styles: np.ndarray,
    topic: Mapping[str, str | None],
    relevance: Mapping[str, float | None],
    log_perplexity: Mapping[str, float | None],
    centers: Centers,
    tolerance: float = 1e-9,
) -> pl.DataFrame:
    """The SCORES table, ordered by request id.

    Args:
        generations: GENERATIONS, n rows.
        embeddings: f(style) [n, D]; styles: [n, K]; rows as in `generations`.
        topic: request id -> group that the topic probe sees; None where nothing was generated.
        relevance: request id -> value; None likewise.
        log_perplexity: request id -> value; None likewise.
        centers: the group embeddings.
        tolerance: distances closer than this are a tie.

    Raises:
        InputError: row 1 of a question and sample is missing, a target has no embedding, a generation has no
            perplexity or was not judged, or a value is not finite.
    """
    order = generations["request_id"].arg_sort().to_numpy()
    generations, embeddings, styles = generations[order], embeddings[order], styles[order]
    ids = generations["request_id"].to_list()
    for known, what in ((log_perplexity, "perplexity; measure fluency"), (topic, "topic; judge the answers")):
        missing = [i for i in ids if i not in known]
        if missing:
            raise InputError(f"generation {missing[0]!r} has no {what} again")
    empty = (generations["text"].str.strip_chars() == "").to_numpy()
    reference, matched = _references(generations)
    damage = _damage(generations, reference)
    require_finite(styles, "style vector", ids)
    changes = _changes(generations, embeddings, empty, reference, matched, centers, tolerance)
    frame = generations.select([c for c in SCORES.columns if c in generations.columns]).with_columns(
        vectors(styles, "style"),
        vectors(embeddings, "embedding"),
        pl.Series("empty", empty),
        (generations["finish_reason"] == "length").alias("truncated"),
        (generations["finish_reason"] == "stop_string").alias("stopped"),
        pl.Series("reference_id", [ids[i] for i in reference], dtype=pl.String),
        *changes,
        pl.Series("topic", [topic[i] for i in ids], dtype=pl.String),
        pl.Series("reference_topic", [topic[ids[i]] for i in reference], dtype=pl.String),
        pl.Series("relevance", [relevance[i] for i in ids], dtype=pl.Float64),
        pl.Series("log_perplexity", [log_perplexity[i] for i in ids], dtype=pl.Float64),
        *damage,
    )
    return frame.select(list(SCORES.columns))


def _changes(
    generations: pl.DataFrame,
    embeddings: np.ndarray,
    empty: np.ndarray,
    reference: np.ndarray,
    matched: np.ndarray,
    centers: Centers,
    tolerance: float,
) -> list[pl.Series]:
    """The three metrics against the reference, and against the same prompt unsteered."""
    target = centers.index(generations["target"].to_list())
    require_finite(embeddings, "embedding", generations["request_id"].to_list())

    def against(rows: np.ndarray) -> tuple[Changes, Directions]:
        before = embeddings[rows]
        changes = group_changes(
            before, embeddings, centers.embeddings, target, centers.distance, tolerance, empty, empty[rows]
        )
        left_out = empty | empty[rows]
        return changes, group_directions(before, embeddings, centers.embeddings, target, tolerance, left_out)

    changes, directions = against(reference)
    to_target = distance_matrix(embeddings, centers.embeddings, centers.distance)[np.arange(len(target)), target]
    before = distance_matrix(embeddings[reference], centers.embeddings, centers.distance)[
        np.arange(len(target)), target
    ]
    away = (to_target > before + tolerance) & ~empty & ~empty[reference]
    matched_changes, matched_directions = against(matched)
    return [
        pl.Series("nearest", centers.names(changes.nearest), dtype=pl.String),
        pl.Series("reference_nearest", centers.names(changes.reference), dtype=pl.String),
        pl.Series("tie", changes.tie),
        pl.Series("zero", changes.zero),
        pl.Series("changed", changes.changed),
        pl.Series("changed_to_target", changes.to_target),
        pl.Series("eligible", changes.eligible),
        pl.Series("lost_target", changes.lost),
        pl.Series("hit", changes.hit),
        pl.Series("away", away),
        _floats("direction", directions.distance),
        _floats("direction_centred", directions.centered),
        _floats("direction_to_target", directions.to_target),
        _floats("direction_rank", directions.rank).cast(pl.Int64),
        pl.Series("matched_changed", matched_changes.changed),
        pl.Series("matched_to_target", matched_changes.to_target),
        _floats("matched_direction", matched_directions.distance),
    ]


def _damage(generations: pl.DataFrame, reference: np.ndarray) -> list[pl.Series]:
    """Length of each text, and what is measured of it by itself."""
    words = [words_of(text) for text in generations["text"]]
    n_words = np.array([len(w) for w in words], dtype=np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        length_ratio = np.where(n_words[reference] > 0, n_words / n_words[reference], np.nan)
    return [
        pl.Series("n_words", n_words),
        *(
            pl.Series(name, [of(text) for text in generations["text"]], dtype=pl.Float64)
            for name, of in METRICS.items()
        ),
        _floats("length_ratio", length_ratio),
    ]


def nearest_table(
    scores: pl.DataFrame, humans: pl.DataFrame, human_embeddings: np.ndarray, centers: Centers, tolerance: float = 1e-9
) -> pl.DataFrame:
    """The NEAREST table: where human answers and row 1's texts lie, for all pairs of groups, also at 0.

    Args:
        scores: SCORES.
        humans: test answers of the ask split, column `group`; human_embeddings: [n, D].
        centers: the group embeddings.
        tolerance: distances closer than this are a tie.
    """
    baseline = scores.filter((pl.col("condition") == BASELINE) & ~pl.col("empty"))
    # with cross targets the same text can be there once per target
    baseline = baseline.unique(["question_id", "question_group", "sample"], keep="first", maintain_order=True)
    found, _ = nearest_groups(human_embeddings, centers.embeddings, centers.distance, tolerance)
    sources = {
        "human": (humans["group"].to_list(), centers.names(found)),
        "model": (baseline["question_group"].to_list(), baseline["nearest"].to_list()),
    }
    rows = []
    for source, (own, nearest) in sources.items():
        pairs = list(zip(own, nearest, strict=True))
        for group in centers.groups:
            total = own.count(group)
            for other in centers.groups:
                n = pairs.count((group, other))
                rows.append((source, group, other, n, n / total if total else 0.0))
    return NEAREST.frame(rows)


def _references(generations: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Row of each generation's reference text (row 1), and of the same prompt unsteered.

    Row 1 does not depend on the target, so with cross targets it may be there for one target only.
    """
    exact: dict[tuple[Any, ...], int] = {}
    columns = ("condition", "question_id", "sample", "question_group", "target")
    keys = list(zip(*(generations[c].to_list() for c in columns), strict=True))
    for row, key in reversed(list(enumerate(keys))):
        for length in (5, 4, 3):
            exact[key[:length]] = row
    reference: list[int] = []
    matched: list[int] = []
    for row, (condition, *rest) in enumerate(keys):
        for wanted, found in ((BASELINE, reference), (unsteered(condition), matched)):
            # only row 1 may stand in for another target: other prompts name the target
            lengths = (5, 4, 3) if wanted == BASELINE else (5,)
            match = next((exact[k] for n in lengths if (k := (wanted, *rest)[:n]) in exact), None)
            if match is None:
                raise InputError(
                    f"generation {generations['request_id'][row]!r} ({condition}) has no reference: there is no "
                    f"{wanted!r} for question {rest[0]!r}, sample {rest[1]}; gather the generations again"
                )
            found.append(match)
    return np.array(reference, dtype=np.int64), np.array(matched, dtype=np.int64)


def _floats(name: str, values: np.ndarray) -> pl.Series:
    """NaN becomes null."""
    return pl.Series(name, values, dtype=pl.Float64).fill_nan(None)
