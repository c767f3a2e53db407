"""How faithful a student is to its teacher: per attribute, and in what both know of the groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from scipy.stats import rankdata

from sociolect.common.errors import InputError
from sociolect.sfam.distilling import pearson_columns

__all__ = ["check_fidelity", "fidelity_table", "summarize"]


def fidelity_table(catalogue: pl.DataFrame, teacher: np.ndarray, student: np.ndarray) -> pl.DataFrame:
    """Agreement of two labelers on the same answers, a frame of schema FIDELITY.

    Args:
        catalogue: attribute_id and attribute, K rows.
        teacher: scores [n, K].
        student: scores [n, K].

    Raises:
        InputError: there are fewer than two answers.
    """
    n = len(teacher)
    if n < 2:
        raise InputError(f"{n} test answers to compare student and teacher on; raise distillation.n_heldout")
    return catalogue.select("attribute_id", "attribute").with_columns(
        pearson=pearson_columns(teacher, student),
        spearman=pearson_columns(rankdata(teacher, axis=0), rankdata(student, axis=0)),
        mae=np.abs(teacher.astype(np.float64) - student).mean(axis=0),
        teacher_mean=teacher.mean(axis=0, dtype=np.float64),
        student_mean=student.mean(axis=0, dtype=np.float64),
        n=pl.lit(n, dtype=pl.Int64),
    )


def summarize(table: pl.DataFrame, teacher: float | None, student: float | None) -> dict[str, Any]:
    """The fidelity in a few numbers, with the attribute that the student knows least.

    Args:
        table: of schema FIDELITY.
        teacher: group accuracy with the teacher's style vectors.
        student: the same with the student's.
    """
    worst = table.sort("pearson", "attribute_id").row(0, named=True)
    return {
        "n_answers": table["n"][0],
        "mean_pearson": table["pearson"].mean(),
        "mean_spearman": table["spearman"].mean(),
        "mean_mae": table["mae"].mean(),
        "lowest_pearson": worst["pearson"],
        "lowest_attribute": worst["attribute"],
        "group_accuracy_teacher": teacher,
        "group_accuracy_student": student,
    }


def check_fidelity(summary: dict[str, Any], min_pearson: float) -> None:
    """Refuse a student that does not follow its teacher.

    Raises:
        InputError: with the correlation that was reached, and what to change.
    """
    reached = summary["mean_pearson"]
    if reached < min_pearson:
        raise InputError(
            f"the student has a mean Pearson correlation with SFAM of {reached:.3f} on {summary['n_answers']} answers, "
            f"below distillation.min_pearson {min_pearson} (lowest: {summary['lowest_pearson']:.3f}, "
            f"{summary['lowest_attribute']!r}); raise distillation.n_answers or max_epochs, or set labeling.scorer: "
            "cross_encoder"
        )
