"""The five sentences, worked out by hand: what is clear, what is null, what failed, what is not known."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
import reported

from made_tables import judge_rows
from sociolect.common.schemas import CONTRASTS
from sociolect.report.run_findings import findings_of, findings_text
from sociolect.report.run_tables import ExperimentTables, RunTables

RUN = RunTables("demo")
ABOUT = ["Effect", "Control", "Judges", "Price in fluency", "What failed"]
CLEAR = ("question+group", "question", 0.5, 0.25, 0.75)
STEERED = ("steered", "question", 0.25, 0.125, 0.375)


def said(e: ExperimentTables) -> dict[str, str]:
    found = findings_of(RUN, e)
    assert [about for about, _ in found] == ABOUT
    # one sentence each
    assert all(text.count(". ") == 0 and text.endswith(".") for _, text in found)
    return dict(found)


def test_a_clear_effect_is_named_with_its_interval_its_control_and_its_price() -> None:
    table = reported.comparison(
        {"condition": "question", "hit_rate": 0.25},
        {"condition": "question+group", "hit_rate": 0.75, "log_perplexity": 2.0, "longest_repeat": 0.125},
        # e ** 0.5 = 1.6487
        {"condition": "steered", "log_perplexity": 2.5, "n_truncated": 3},
    )
    rows = reported.contrasts(
        CLEAR,
        ("question+attributes", "question", 0.0, -0.1, 0.1),
        STEERED,
        # the largest rise, and not shown: no effect
        ("steered+group", "question", 0.6, -0.01, 1.0),
        ("steered+attributes", "question", -0.2, -0.3, -0.1),
        ("question+group", "question (other seed)", 0.4, 0.1, 0.7),
        ("steered", "question (other seed)", 0.2, 0.1, 0.3),
        ("steered", "steered (random)", 0.15, 0.05, 0.25),
    )
    found = said(ExperimentTables("main", comparison=table, contrasts=rows, groups=reported.groups()))
    assert found["Effect"] == (
        "`question+group` has 75.0 % of its 10 texts (5 questions, 2 groups) in the target group, the bare question "
        "25.0 %: +50.0 [+25.0, +75.0] points, the largest rise with an interval above 0 (2 of 5 rows have one); "
        "steering alone (`steered`) has +25.0 [+12.5, +37.5]; below the bare question lie `steered+attributes` "
        "(-20.0 [-30.0, -10.0])."
    )
    assert found["Control"] == (
        "`question+group` has more texts in the target group than its control `question (other seed)`, by +40.0 "
        "[+10.0, +70.0] points; `steered` has more texts in the target group than each of its 2 controls, and least "
        "over `steered (random)`, by +15.0 [+5.0, +25.0] points."
    )
    assert found["Price in fluency"] == (
        "`question+group` has 1.00 times the perplexity of the bare question under the unsteered model (log 2.00 after "
        "2.00), 12.5 % of a text in its longest repeat; `steered` has 1.65 times the perplexity of the bare question "
        "under the unsteered model (log 2.50 after 2.00), 30.0 % cut off (means, without intervals)."
    )
    assert found["Judges"] == "Not known: no judge has seen the texts."


def test_a_null_is_said_as_such_and_claims_nothing() -> None:
    rows = reported.contrasts(
        ("question+group", "question", 0.05, 0.0, 0.1),
        ("steered", "question", 0.02, -0.06, 0.1),
        ("steered", "steered (random)", -0.01, -0.05, 0.03),
        ("steered", "steered (shuffled)", 0.01, -0.03, 0.05),
    )
    found = said(ExperimentTables("main", comparison=reported.comparison(), contrasts=rows))
    # an interval that ends at 0 is not above it
    assert found["Effect"] == (
        "None is shown: in none of 2 rows does the interval of the rise in texts of the target group lie above 0 (n = "
        "10 texts a row, 5 questions; the bare question has 40.0 %); the largest rise is +5.0 [+0.0, +10.0] points, of "
        "`question+group`."
    )
    assert found["Control"] == (
        "Failed: `steered` is not shown to have more texts in the target group than `steered (random)` (-1.0 [-5.0, "
        "+3.0]) and `steered (shuffled)` (+1.0 [-3.0, +5.0])."
    )


def test_one_control_that_is_not_beaten_is_a_failure() -> None:
    rows = reported.contrasts(
        STEERED, ("steered", "steered (random)", 0.2, 0.1, 0.3), ("steered", "steered (topic)", 0.01, -0.1, 0.1)
    )
    found = said(ExperimentTables("main", comparison=reported.comparison(), contrasts=rows))
    assert found["Effect"].endswith("the largest rise with an interval above 0 (1 of 1 rows have one).")
    assert found["Control"] == (
        "Failed: `steered` is not shown to have more texts in the target group than `steered (topic)` (+1.0 [-10.0, "
        "+10.0])."
    )


@pytest.mark.parametrize(
    ("values", "missing"), [({"condition": "steered"}, "its texts"), ({"condition": "question"}, "row 1")]
)
def test_a_perplexity_that_is_missing_is_not_known(values: dict[str, object], missing: str) -> None:
    table = reported.comparison(values | {"log_perplexity": None})
    found = said(ExperimentTables("main", comparison=table, contrasts=reported.contrasts(STEERED)))
    assert found["Price in fluency"] == (
        f"Of `steered` it is not known: no perplexity was measured of {missing} (means, without intervals)."
    )
    assert found["Control"] == "`steered` has no control."


def judged(stay: float = -0.01, against: float = 0.1, targets: tuple[str, ...] = ("own", "cross")) -> ExperimentTables:
    seen = [
        {"judge": judge, "sees": sees, "targets": kind, "gain": gain, "stay_gain": stay}
        for judge, sees, gain in (("sfam", "style", 0.25), ("ngrams", "style", 0.005), ("topic", "topic", 0.1))
        for kind in targets
    ]
    lows = [
        ("steered", control, f"cross_hit_rate {judge}", 0.2, against, 0.3, 5)
        for judge in ("sfam", "ngrams") for control in ("steered (random)", "steered (shuffled)")
    ]  # fmt: skip
    return ExperimentTables(
        "main", comparison=reported.comparison(), contrasts=reported.contrasts(STEERED), judges=judge_rows(*seen),
        judge_contrasts=CONTRASTS.frame(lows),
    )  # fmt: skip


def test_judges_that_do_not_see_it_and_a_topic_that_falls_are_named() -> None:
    # the interval of ngrams, a hundredth to both sides, holds 0
    own = (
        "The rise by `steered` has its interval above 0 in the eyes of 1 of 2 judges of style (sfam +25.0 [+24.0, "
        "+26.0], ngrams +0.5 [-0.5, +1.5])"
    )
    rule = "; on other groups' questions steering failed the study's rule"
    assert said(judged())["Judges"] == f"{own}{rule}: not seen by ngrams."
    assert said(judged(stay=-0.125, against=0.0))["Judges"] == (
        f"{own}{rule}: not seen by ngrams; no more than steered (random) by sfam, ngrams; no more than steered "
        "(shuffled) by sfam, ngrams; the topic probe's share falls by 12.5 points."
    )
    cross = said(judged(targets=("cross",)))["Judges"]
    assert cross == f"No judge of style has seen `steered` on its own groups' questions{rule}: not seen by ngrams."
    alone = said(judged(targets=("own",)))["Judges"]
    assert alone == f"{own}; whether the topic stays is not known, as other groups' style was not asked for."


def test_style_that_moves_while_the_topic_stays_is_said_with_the_topics_interval() -> None:
    e = judged()
    assert e.judges is not None
    clear = e.judges.with_columns(gain_low=pl.lit(0.001))
    assert said(replace(e, judges=clear))["Judges"].endswith(
        "; on other groups' questions every one sees the style more often in `steered` than in row 1, with random "
        "and with shuffled vectors, while what the topic probe sees of the question's group changes by -1.0 [-2.0, "
        "+0.0] points."
    )


def test_nothing_is_known_of_nothing() -> None:
    found = said(ExperimentTables("main"))
    assert all(found[about].startswith("Not known: ") for about in ABOUT[:4])


def test_each_experiment_has_its_five_sentences_and_the_note_names_the_level() -> None:
    run = replace(RUN, confidence=0.9)
    both = [(name, findings_of(run, ExperimentTables(name))) for name in ("one", "two")]
    text = findings_text(run, both)
    assert text.startswith("# What was found: demo\n\n## Experiment one\n\n1. **Effect.** Not known")
    assert text.count("\n5. **What failed.** ") == 2 and "## Experiment two" in text
    assert "brackets hold 90 % intervals" in text and text.endswith("pools several.\n")
