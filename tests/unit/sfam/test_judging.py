"""An SFAM that learned nothing stops the run."""

from __future__ import annotations

import pytest

from sociolect.common.errors import InputError
from sociolect.sfam.judging import check_auroc, steps_table

METRICS = {
    "steps": 40,
    "best_val_auroc": 0.65,
    "history": [{"step": 20, "train_loss": 0.7, "val_auroc": 0.65}, {"step": 40, "train_loss": 0.6, "val_auroc": 0.6}],
}


def test_too_low_an_auroc_is_refused_with_figure_key_and_remedies() -> None:
    with pytest.raises(InputError, match=r"AUROC of 0\.650 .* below sfam\.min_auroc 0\.7") as refused:
        check_auroc(METRICS, 0.7)
    for remedy in ("sfam.max_steps", "sfam.batch_size", "description.n_answers", "labeling.scorer: measured"):
        assert remedy in str(refused.value)
    check_auroc(METRICS, 0.65)
    check_auroc(METRICS | {"best_val_auroc": 0.0}, 0.0)


def test_steps_are_those_of_the_training() -> None:
    assert steps_table(METRICS).rows() == [(20, 0.7, 0.65), (40, 0.6, 0.6)]
