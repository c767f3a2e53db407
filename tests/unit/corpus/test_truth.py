"""The truth that is planted."""

from __future__ import annotations

import polars as pl

from sociolect.corpus.demo.truth import ATTRIBUTES, GROUPS, demo_truth


def test_truth_has_four_distinct_groups_and_one_alike_pair() -> None:
    truth = demo_truth()
    assert truth.height == len(GROUPS) * len(ATTRIBUTES) == 6 * 18
    rates = truth.pivot("group", index="attribute", values="rate")
    for group in GROUPS:
        rows = truth.filter(pl.col("group") == group)
        distinctive = rows.filter(pl.col("kind") == "distinctive")
        partner = rows["alike"][0]
        others = [g for g in GROUPS if g != group]
        gaps = rates.select(pl.col(group) - pl.max_horizontal(others))[group].to_list()
        large = {a for a, gap in zip(rates["attribute"], gaps, strict=True) if gap > 0.05 + 1e-9}
        assert large == set(distinctive["attribute"])
        if partner is None:
            assert distinctive.height == 3
        else:
            assert truth.filter(pl.col("group") == partner)["alike"][0] == group
            assert rates.select((pl.col(group) - pl.col(partner)).abs().max()).item() <= 0.05 + 1e-9
            assert distinctive.is_empty()
