"""Tagged rows of given answers."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sociolect.common.artifacts import write_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import TAGGED
from sociolect.syntax.lookup import read_rows
from tagged_by_hand import BREAD, HOPE, tagged


def test_rows_come_in_the_order_of_the_answers_and_a_missing_one_is_named(tmp_path: Path) -> None:
    table = tagged([[BREAD], [HOPE], []])
    files = [tmp_path / "single.parquet", tmp_path / "multi.parquet"]
    # an answer of both splits is tagged twice
    write_table(table[:2], files[0], TAGGED)
    write_table(table[1:], files[1], TAGGED)
    answers = pl.DataFrame({"answer_id": ["a2", "a0", "a1"], "group": ["x", "y", "x"]})
    found = read_rows(files, answers)
    assert found is not None and found.equals(table[[2, 0, 1]])
    assert read_rows([], answers) is None
    with pytest.raises(InputError, match=r"answer 'a2' is not tagged \(1 missing in all\)"):
        read_rows(files[:1], answers)
