"""Whether SFAM learned enough to label: its AUROC on val, over the steps of its training."""

from __future__ import annotations

from typing import Any

import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.schemas import SFAM_STEPS

__all__ = ["check_auroc", "steps_table"]


def steps_table(metrics: dict[str, Any]) -> pl.DataFrame:
    """The looks at val of a training, as SFAM_STEPS.

    Args:
        metrics: of metrics.json, with its `history`.
    """
    return SFAM_STEPS.frame([(row["step"], row["train_loss"], row["val_auroc"]) for row in metrics["history"]])


def check_auroc(metrics: dict[str, Any], least: float) -> None:
    """Refuse an SFAM that hardly tells which attributes an answer has.

    Args:
        metrics: of metrics.json, with `best_val_auroc`.
        least: sfam.min_auroc.

    Raises:
        InputError: with what was reached, and what to change.
    """
    reached, steps = metrics["best_val_auroc"], metrics["steps"]
    if reached < least:
        raise InputError(
            f"SFAM has an AUROC of {reached:.3f} on val answers after {steps} steps, below sfam.min_auroc {least}: its "
            "style vectors would say little of a group; raise sfam.max_steps or sfam.batch_size, describe more "
            "answers (description.n_answers), or, where the describer is stylometry, set labeling.scorer: measured"
        )
