"""How far a student's scores are its teacher's."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import pearsonr, spearmanr

from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import FIDELITY
from sociolect.sfam.fidelity import check_fidelity, fidelity_table, summarize

pytestmark = pytest.mark.usefixtures("one_thread")


def catalogue() -> pl.DataFrame:
    return pl.DataFrame({"attribute_id": ["a1", "a2", "a3"], "attribute": ["red words", "blue words", "digits"]})


def test_fidelity_against_scipy() -> None:
    rng = np.random.default_rng(1)
    teacher = rng.random((50, 3))
    student = np.clip(teacher + rng.normal(0, [0.05, 0.3, 1.0], (50, 3)), 0, 1).round(1)  # with ties
    student[:, 2] = 0.5  # says the same of everything
    table = check_table(fidelity_table(catalogue(), teacher, student), FIDELITY, "test")
    for column in (0, 1):
        row = table.row(column, named=True)
        a, b = teacher[:, column], student[:, column]
        assert row["pearson"] == pytest.approx(pearsonr(a, b).statistic)
        assert row["spearman"] == pytest.approx(spearmanr(a, b).statistic)
        assert row["mae"] == pytest.approx(np.abs(a - b).mean())
    assert table["pearson"][2] == table["spearman"][2] == 0.0 and table["n"].to_list() == [50] * 3
    summary = summarize(table, 0.9, 0.89)
    assert summary["lowest_attribute"] == "digits" and summary["mean_pearson"] == pytest.approx(table["pearson"].mean())
    check_fidelity(summary, 0.3)
    with pytest.raises(InputError, match=r"below distillation.min_pearson 0.9 .*'digits'\); raise"):
        check_fidelity(summary, 0.9)
