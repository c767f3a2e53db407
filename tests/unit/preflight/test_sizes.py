"""Sizes for a new run, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from sociolect.common.errors import InputError
from sociolect.preflight.sizes import experiments_for, find_tables, minimum_for


@pytest.mark.parametrize(
    ("sizes", "minimum"),
    [
        # three of 1000 draw 3000, all four 4 x 80
        ((5000, 1200, 1000, 80), 1000),
        # most of five are three: 3 x 300, 4 x 250, 5 x 210, the largest
        ((9000, 8000, 300, 250, 210), 210),
        # two of 9000 would draw more, but are not most
        ((9500, 9000, 300, 25), 300),
        # too small for parts: as many as are large enough
        ((500, 437, 3, 2, 1), 430),
        # three of 758 draw 2274, more than three quarters of 2 x 1320
        ((1411, 1320, 758), 750),
        # three of 659 would draw less than that
        ((1411, 1320, 659), 1300),
        ((1234, 1278), 1200),
        ((25, 21), 21),
    ],
)
def test_the_minimum_is_that_of_the_largest_balanced_draw(sizes: tuple[int, ...], minimum: int) -> None:
    assert minimum_for({f"g{number}": size for number, size in enumerate(sizes)}, "t") == minimum


def test_without_two_groups_of_some_size_there_is_no_run() -> None:
    with pytest.raises(InputError, match=r"t\.csv: two groups of 20 or more are needed; it has a 900, b 19"):
        minimum_for({"a": 900, "b": 19}, "t.csv")


def test_experiments_follow_from_the_splits() -> None:
    many, minima = {"a": 100, "b": 100, "c": 20}, {"single": 50, "multi": 50, "askx": 50}
    assert experiments_for({"single": many}, minima) == {"single": ("single", "single")}
    assert experiments_for({"single": many, "multi": many, "askx": many}, minima) == {
        "single": ("single", "single"),
        "askx": ("multi", "askx"),
    }
    # one group in common is none to tell from another
    other = {"a": 100, "d": 100, "c": 100}
    assert experiments_for({"multi": many, "askx": other}, minima) == {
        "multi": ("multi", "multi"),
        "askx": ("askx", "askx"),
    }


def test_tables_are_found_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no single, multi or askx"):
        find_tables(tmp_path)
    for name in ("askx.jsonl.gz", "single.csv"):
        (tmp_path / name).touch()
    assert list(find_tables(tmp_path).items()) == [
        ("single", tmp_path / "single.csv"),
        ("askx", tmp_path / "askx.jsonl.gz"),
    ]
    (tmp_path / "single.parquet").touch()
    with pytest.raises(InputError, match="two tables of the split single"):
        find_tables(tmp_path)
