"""Two seeds with the same ids, pooled by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from seeded import SEEN, seed_run

from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import AGREEMENT, BY_JUDGE, CONTRASTS
from sociolect.study.pooled_seeds import Pooled, SeedRun, pool_seeds, pooled_judges_page, pooled_page


def pooled(*runs: SeedRun) -> Pooled:
    return pool_seeds(runs or (seed_run(1), seed_run(2)), 300, 1, 0.95)


def of(table: Pooled, judge: str, condition: str, targets: str = "own") -> dict[str, Any]:
    return table.table.filter(judge=judge, condition=condition, targets=targets).row(0, named=True)


def differences(table: Pooled, measure: str = "hit_rate") -> dict[tuple[str, str], tuple[float, int]]:
    rows = table.contrasts.filter(measure=measure).select("condition", "against", "difference", "n_questions")
    return {(condition, against): (value, n) for condition, against, value, n in rows.iter_rows()}


def test_rates_are_means_over_the_texts_of_all_seeds() -> None:
    found = pooled()
    check_table(found.table, BY_JUDGE, "pooled")
    check_table(found.agreement, AGREEMENT, "pooled")
    # own targets are aabb: 4 and 3 texts come to them with steering; 2 and 0 were there without
    steered = of(found, "sfam", "steered")
    assert (steered["n"], steered["rate"], steered["gain"]) == (8, 7 / 8, 5 / 8)
    assert of(found, "sfam", "question")["rate"] == of(found, "sfam", "steered (random)")["rate"] == 2 / 8
    # other targets are bbaa: 4 and 1 texts come to them; 2 and 4 were there
    cross = of(found, "sfam", "steered", "cross")
    assert (cross["n"], cross["rate"], cross["gain"]) == (8, 5 / 8, -1 / 8)
    # the topic probe says a to all four steered texts of the second seed, two of which are of b's questions
    topic = of(found, "topic", "steered", "cross")
    assert (topic["stay"], topic["stay_gain"]) == (6 / 8, -2 / 8)
    # a judge that sees the same agrees
    same = found.agreement.filter(judge="measured", other="sfam", targets="own").row(0, named=True)
    assert (same["n"], same["same_sign"]) == (2, 1.0)


def test_a_ceiling_is_the_mean_over_seeds_however_many_rows_it_stands_in() -> None:
    assert of(pooled(), "sfam", "steered")["ceiling"] == pytest.approx((0.8 + 0.6) / 2)
    assert of(pooled(), "relevance", "steered")["ceiling"] is None


def test_contrasts_are_paired_within_seeds() -> None:
    found = pooled()
    check_table(found.contrasts, CONTRASTS, "pooled")
    # (4 - 2 + 3 - 0) / 8, over eight questions, though there are four ids
    assert differences(found)["steered", "steered (random)"] == (5 / 8, 8)
    assert differences(found)["steered", "question"] == (5 / 8, 8)
    assert differences(found)["steered (random)", "question"] == (0.0, 8)
    # came there: a1 and b0 with the first seed, a0, b0 and b1 with the second
    assert differences(found, "correct_change_rate")["steered", "steered (random)"] == (5 / 8, 8)
    # the random direction changed no text of its own seed: no interval, whatever is resampled
    nothing = found.contrasts.filter(condition="steered (random)", against="question", measure="hit_rate")
    assert nothing.select("low", "high").row(0) == (0.0, 0.0)


def test_seeds_are_not_mixed_up_by_their_ids() -> None:
    # in one run all texts are in the question's group, whatever is done; the other is as ever
    again, all_there = seed_run(2), dict.fromkeys(SEEN[1], "aabb")
    still = SeedRun(**{**vars(seed_run(1, seen=all_there)), "seed": 9})
    one, other, both = pooled(still), pooled(again), pooled(still, again)
    assert (of(one, "sfam", "steered")["gain"], of(other, "sfam", "steered")["gain"]) == (0.0, 3 / 4)
    for judge in ("sfam", "measured", "topic", "relevance"):
        for targets in ("own", "cross"):
            for key in ("n", "rate", "gain"):
                apart = [of(table, judge, "steered", targets)[key] for table in (one, other)]
                whole = of(both, judge, "steered", targets)[key]
                assert whole == pytest.approx(sum(apart) / (1 if key == "n" else 2)), (judge, targets, key)
    turned = pooled(again, still)
    # clusters go by their names: the order of the runs changes no interval
    keys = ["judge", "condition", "targets"]
    assert turned.table.sort(keys).equals(both.table.sort(keys)) and turned.contrasts.equals(both.contrasts)
    assert turned.seeds == both.seeds[::-1]


def test_a_row_for_each_seed_by_hand() -> None:
    planted = {"a": ["colons", "dots"], "b": ["dots"]}
    choice = {"method": "distinctive", "layers": [0], "alpha": 0.25}
    assert pooled(seed_run(1), seed_run(2, planted=planted, choice=choice)).seeds == [
        # dots were gained in a and dashes in b, both of which were named dots; nothing was planted
        ["1", "all, block 1-2, 0.4", "50.0", "0.0", "n/a", "n/a", "2.00, steered 2.50", "0.40", "50 %", "n/a"],
        # colons and dots, as named; of the two that were planted in a one
        ["2", "distinctive, block 0, 0.25", "75.0", "0.0", "n/a", "n/a", "2.00, steered 2.50", "n/a", "100 %", "75 %"],
    ]


def test_the_page_has_all_of_it() -> None:
    page = pooled_page("Steering study: main", pooled())
    assert page.startswith("# Steering study: main\n\n2 runs of the whole chain")
    (line,) = (line for line in page.splitlines() if line.startswith("| steered (random) | hit rate |"))
    assert line.startswith("| steered (random) | hit rate | +62.5 [") and line.endswith("| 8 |")
    assert "## sfam, own targets (sees style, ceiling 70.0 %)" in pooled_judges_page("x", pooled())
    # sfam and measured gain nothing on other targets, and the topic goes
    claim = "It is not shown that steering moves texts to the right group: not seen by measured, sfam; no more than"
    assert claim in page and "falls by 25.0 points" in page
    own = [seed_run(seed, {k: v for k, v in SEEN[seed].items() if k[1] == "own"}) for seed in (1, 2)]
    page = pooled_page("x", pooled(*own))
    judges = pooled_judges_page("x", pooled(*own))
    assert "Style moves" not in page and "cross targets" not in judges and "## sfam, own targets" in judges


def test_no_run_and_a_judge_of_some_runs_are_errors() -> None:
    with pytest.raises(InputError, match="at least one run"):
        pool_seeds([], 10, 1, 0.95)
    some = seed_run(2)
    lacking = SeedRun(**{**vars(some), "judged": some.judged.filter(pl.col("judge") == "topic")})
    with pytest.raises(InputError, match="'measured' has not judged all"):
        pooled(seed_run(1), lacking)
