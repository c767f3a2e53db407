"""Agreement of judges, by hand."""

from __future__ import annotations

import polars as pl
import pytest

from sociolect.common.errors import InputError
from sociolect.judges.agreement import agreement_table


def gains(judge: str, values: list[float | None], targets: str = "all") -> pl.DataFrame:
    rows = {"judge": judge, "condition": [f"c{i}" for i in range(len(values))], "targets": targets, "gain": values}
    return pl.DataFrame(rows, schema_overrides={"gain": pl.Float64})


def test_four_conditions_by_hand() -> None:
    # signs + - 0 + and + + 0 +: three of four; ranks 3 1 2 4 and 3 2 1 4: 1 - 6 * (0 + 1 + 1 + 0) / (4 * 15) = .8
    table = pl.concat([gains("topic", [1.0, -2.0, 0.0, 3.0]), gains("measured", [2.0, 1.0, 0.0, 4.0])])
    found = agreement_table(table.sample(fraction=1, shuffle=True, seed=1)).to_dicts()
    assert found == [
        {"judge": "measured", "other": "topic", "targets": "all", "n": 4, "same_sign": 0.75,
         "spearman": pytest.approx(0.8)}
    ]  # fmt: skip


def test_zero_is_like_zero_alone_and_few_or_constant_gains_have_no_ranks() -> None:
    table = pl.concat(
        [
            gains("a", [0.0, 1.0, 1.0, None]),
            gains("b", [0.5, 2.0, 3.0, 4.0]),
            gains("a", [1.0, 2.0], "own"),
            gains("b", [-1.0, float("nan")], "own"),
            gains("a", [1.0, 2.0], "two"),
            gains("b", [1.0, 2.0], "two"),
            gains("c", [0.0, 0.0, 0.0, 0.0]),
        ]
    )
    found = {(row[0], row[1], row[2]): row[3:] for row in agreement_table(table).iter_rows()}
    assert found["a", "b", "all"] == (3, pytest.approx(2 / 3), pytest.approx(0.75**0.5))
    assert found["a", "c", "all"] == (3, pytest.approx(1 / 3), None)
    assert found["b", "c", "all"] == (4, 0, None)
    assert found["a", "b", "own"] == (1, 0, None)
    assert found["a", "b", "two"] == (2, 1, None)
    assert found["a", "c", "own"] == found["b", "c", "own"] == (0, None, None)


def test_one_judge_has_nobody_to_agree_with_and_two_gains_are_an_error() -> None:
    assert agreement_table(gains("a", [1.0, 2.0])).height == 0
    with pytest.raises(InputError, match="'condition': 'c0'"):
        agreement_table(pl.concat([gains("a", [1.0]), gains("a", [2.0])]))
