"""A warning where groups have no attributes of their own."""

from __future__ import annotations

import polars as pl

from sociolect.embedding.distinct import few_distinctive


def groups(own: list[list[str]]) -> pl.DataFrame:
    names = [f"g{i}" for i in range(len(own))]
    return pl.DataFrame({"group": names, "distinctive": own}, schema_overrides={"distinctive": pl.List(pl.String)})


def test_many_groups_without_distinctive_attributes_are_named() -> None:
    warning = few_distinctive(groups([["a"], [], ["b"], [], []]))
    assert warning is not None and warning.startswith("3 of 5 groups have no distinctive attribute (g1, g3, g4)")
    assert few_distinctive(groups([["a"], [], ["b"]])) is None
