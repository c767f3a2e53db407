"""The judges' page: what may be claimed, by the rule; the table of shifts; all tables on the page."""

from __future__ import annotations

import polars as pl
import pytest

from made_tables import judge_rows
from sociolect.common.schemas import AGREEMENT, CONTRASTS
from sociolect.evaluation.judge_page import JUDGE_NOTE, claim_of, judge_page, judge_tables, shift_rows

STYLE = {"sees": "style", "gain": 0.3, "on_topic_gain": 0.1, "on_topic_n": 6}
TOPIC = {"judge": "topic", "sees": "topic", "gain": 0.4}
RELEVANCE = {"judge": "relevance", "sees": "question", "gain": 0.0125}


def beaten(low: float = 0.1, **lows: float) -> pl.DataFrame:
    """Contrasts on other groups' questions with both nulls, by judge; the interval begins at `low`, or as named."""
    rows = [
        ("steered", against, f"cross_hit_rate {judge}", 0.2, lows.get(judge, low), 0.3, 5)
        for judge in ("sfam", "ngrams")
        for against in ("steered (random)", "steered (shuffled)")
    ]
    return CONTRASTS.frame(rows)


def test_the_claim_needs_every_judge_of_style_above_zero_and_the_nulls_and_the_topic_held() -> None:
    sfam, ngrams = STYLE | {"judge": "sfam"}, STYLE | {"judge": "ngrams"}
    held = TOPIC | {"stay_gain": -0.05}
    shown = (
        "Steering moves texts to the right group: every judge of style sees it, more than with random directions and "
        "shuffled labels, with the topic held."
    )
    assert claim_of(judge_rows(sfam, ngrams, held, RELEVANCE), beaten()) == shown
    # a judge that sees both may say what it likes
    sentence = {"judge": "sentence", "sees": "both", "gain": -0.4}
    assert claim_of(judge_rows(sfam, ngrams, held, sentence), beaten()) == shown
    not_shown = "It is not shown that steering moves texts to the right group: "
    unsure = ngrams | {"gain": 0.004}  # its interval begins below 0
    assert claim_of(judge_rows(sfam, unsure, held), beaten()) == f"{not_shown}not seen by ngrams."
    at_zero = ngrams | {"gain": 0.02, "gain_low": 0.0}
    assert claim_of(judge_rows(sfam, at_zero, held), beaten()) == f"{not_shown}not seen by ngrams."
    lost = TOPIC | {"stay_gain": -0.062}
    falls = "the topic probe's share falls by 6.2 points."
    assert claim_of(judge_rows(sfam, ngrams, lost), beaten()) == f"{not_shown}{falls}"
    assert claim_of(judge_rows(sfam | {"gain": -0.1}, unsure, lost), beaten()) == (
        f"{not_shown}not seen by sfam, ngrams; {falls}"
    )
    # a text that is only blurred rises, too, and so with any vector
    for nulls, judges in ((beaten(ngrams=0.0), "ngrams"), (CONTRASTS.empty(), "sfam, ngrams")):
        assert claim_of(judge_rows(sfam, ngrams, held), nulls) == (
            f"{not_shown}no more than steered (random) by {judges}; no more than steered (shuffled) by {judges}."
        )


def test_other_conditions_and_own_targets_do_not_make_the_claim() -> None:
    good = [STYLE | {"judge": "sfam"}, TOPIC | {"stay_gain": 0.0}]
    nothing = "Nothing is known of other groups' style: generation.targets is own."
    for other in ({"targets": "own"}, {"condition": "steered+group"}):
        assert claim_of(judge_rows(*(row | other for row in good)), beaten()) == nothing


def test_shifts_are_means_over_judges_of_style_alone() -> None:
    rows = [
        STYLE | {"judge": "measured", "gain": 0.1},
        STYLE | {"judge": "sfam"},
        {"judge": "sentence", "sees": "both", "gain": 0.9},
        TOPIC | {"stay_gain": -0.02},
        RELEVANCE,
    ]
    group = [row | {"condition": "question+group", "n": 7} for row in rows[:4]]
    group.append(RELEVANCE | {"condition": "question+group", "gain": None})
    first = [row | {"condition": "question", "gain": None, "stay_gain": None} for row in rows]
    own = [row | {"targets": "own", "gain": 0.7} for row in rows]
    assert shift_rows(judge_rows(*own, *rows, *group, *first)) == [
        ["question+group", "7", "+20.0 (measured +10.0, sfam +30.0)", "-2.0 [-3.0, -1.0]", "+10.0 (6)", "n/a"],
        ["steered", "10", "+20.0 (measured +10.0, sfam +30.0)", "-2.0 [-3.0, -1.0]", "+10.0 (6)", "+0.013"],
    ]


def test_each_judge_has_its_table_with_its_ceiling() -> None:
    row = {"judge": "sfam", "sees": "style", "condition": "question", "rate": 0.25, "stay": 0.5, "ceiling": 0.8}
    steered = row | {"condition": "steered", "rate": 0.5, "gain": 0.25, "stay_gain": 0.125}
    tables = judge_tables(judge_rows(row, steered, *(r | {"targets": "own"} for r in (row, steered))))
    assert [title for title, _, _ in tables] == [
        "sfam, own targets (sees style, ceiling 80.0 %)",
        "sfam, cross targets (sees style, ceiling 80.0 %)",
    ]
    assert tables[0][2] == [["question", "10", "25.0", "-"], ["steered", "10", "50.0", "+25.0 [+24.0, +26.0]"]]
    assert tables[1][2][1] == ["steered", "10", "50.0", "+25.0 [+24.0, +26.0]", "50.0", "+12.5 [+11.5, +13.5]"]
    assert all(len(row) == len(header) for _, header, rows in tables for row in rows)


@pytest.mark.parametrize("targets", ["own", "cross"])
def test_the_page_has_the_tables_that_there_are(targets: str) -> None:
    rows = [row | {"targets": targets} for row in (STYLE | {"judge": "sfam"}, TOPIC | {"stay_gain": 0.0}, RELEVANCE)]
    agreement = AGREEMENT.frame([("measured", "sfam", targets, 3, 1.0, None), ("sfam", "topic", targets, 0, None, 0.5)])
    contrasts = pl.concat(
        [CONTRASTS.frame([("steered", "question+group", "hit_rate sfam", 0.125, -0.05, 0.25, 9)]), beaten()]
    )
    page = judge_page("Judges", judge_rows(*rows), agreement, contrasts)
    assert page.startswith(f"# Judges\n\n{JUDGE_NOTE}")
    assert ("## Style moves, topic stays" in page) == ("Steering moves texts" in page) == (targets == "cross")
    for judge in ("sfam", "topic", "relevance"):
        assert f"## {judge}, {targets} targets (sees" in page
    for line in (
        "| sfam | own | question+group | +12.5 [-5.0, +25.0] | 9 |",
        "| sfam | cross | steered (random) | +20.0 [+10.0, +30.0] | 5 |",
        f"| measured | sfam | {targets} | 3 | 100 % | n/a |",
        f"| sfam | topic | {targets} | 0 | n/a | 0.50 |",
    ):
        assert line in page
