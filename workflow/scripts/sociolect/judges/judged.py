"""What judges say of generated answers, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from sociolect.common.schemas import JUDGED
from sociolect.judges.text_judges import Judge

__all__ = ["judged_table"]


def judged_table(generations: pl.DataFrame, judges: Sequence[Judge], seen: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """JUDGED, sorted by judge in the order given and by request id.

    Args:
        generations: request_id, target, question_group.
        judges: who judged.
        seen: by judge probabilities [n, G], NaN for empty texts.
    """
    frames = [JUDGED.empty()]
    for judge in judges:
        values, number = seen[judge.name], {group: g for g, group in enumerate(judge.groups)}
        there = np.isfinite(values).all(axis=1)
        best = np.where(there[:, None], values, 0.0).argmax(axis=1)
        rows = np.arange(len(values))
        of = {
            name: values[rows, [number[group] for group in generations[column]]]
            for name, column in (("p_target", "target"), ("p_question_group", "question_group"))
        }
        frame = generations.select("request_id").with_columns(
            pl.lit(judge.name).alias("judge"),
            pl.lit(judge.sees).alias("sees"),
            pl.Series("group", [judge.groups[g] if ok else None for g, ok in zip(best, there, strict=True)], pl.String),
            *(pl.Series(name, found, dtype=pl.Float64).fill_nan(None) for name, found in of.items()),
        )
        frames.append(frame.select(list(JUDGED.columns)).sort("request_id"))
    return pl.concat(frames)
