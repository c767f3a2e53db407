"""Groups and draws: balanced, and the same for every order of rows."""

from __future__ import annotations

import polars as pl
import pytest
from forums import COLUMNS, assert_disjoint, forum, forums

from sociolect.common.errors import InputError
from sociolect.common.schemas import SAMPLES, SAMPLING_FUNNEL
from sociolect.corpus.groups import sample_groups
from sociolect.settings.corpus import Minimum, Parts, PerGroup, SamplingSettings

HALVES = Parts(train=0.5, val=0.25, test=0.25)


def loners(group: str, n: int) -> pl.DataFrame:
    """A corpus of n answers to n questions by unknown authors."""
    rows = [(f"{group}-q{i}", f"text {group} {i}", f"{group}-{i}", "ok", None, group) for i in range(n)]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def settings(single: int = 40, multi: int = 60, askx: int = 20, **more: object) -> SamplingSettings:
    return SamplingSettings.model_validate(
        {"minimum": {"single": single, "multi": multi, "askx": askx}, "parts": HALVES, **more}
    )


def test_samples_are_disjoint_balanced_and_of_the_schema() -> None:
    chosen = settings(per_group={"single": 40, "multi": 60, "askx": 20}, answers_per_question=2)
    samples, funnel = sample_groups(forums(), chosen, 0)
    assert_disjoint(samples)
    assert funnel.columns == list(SAMPLING_FUNNEL.columns)
    short = {(s, g, p): a + q for s, g, p, a, q in funnel.filter(step="shortfall").drop("step").iter_rows()}
    wanted = {"single": (20, 10, 10), "multi": (30, 15, 15), "askx": (10, 5, 5)}
    for split, frame in samples.items():
        assert frame.columns == list(SAMPLES.columns)
        assert frame["answer_id"].is_sorted() and frame["answer_id"].is_unique().all()
        unit = pl.col("question_id").n_unique() if split == "askx" else pl.len()
        drawn = {(g, p): n for g, p, n in frame.group_by("group", "part").agg(unit.alias("n")).iter_rows()}
        for group in "abc":
            for part, quota in zip(("train", "val", "test"), wanted[split], strict=True):
                assert drawn[group, part] == quota - short[split, group, part]
    # the large parts are never short
    assert all(n == 0 for (_, _, part), n in short.items() if part == "train")
    assert samples["askx"].group_by("question_id", "group").len()["len"].max() == 2


def test_the_order_of_rows_and_splits_does_not_matter() -> None:
    corpora = forums()
    first, funnel = sample_groups(corpora, settings(), 7)
    mixed = {s: corpora[s].sample(fraction=1.0, shuffle=True, seed=5) for s in reversed(corpora)}
    second, other = sample_groups(mixed, settings(), 7)
    assert all(first[s].equals(second[s], null_equal=True) for s in first)
    assert funnel.equals(other)
    third, _ = sample_groups(corpora, settings(), 8)
    assert not first["multi"].equals(third["multi"], null_equal=True)


def test_a_group_that_is_too_small_changes_nothing_but_the_list() -> None:
    corpora = forums()
    before, _ = sample_groups(corpora, settings(), 0)
    # it shares authors with a large group, and would join components
    small = forum("d", 10, 3).with_columns(author=pl.lit("a-u1"))
    after, funnel = sample_groups(
        {**corpora, "multi": pl.concat([corpora["multi"], small]), "askx": pl.concat([small, corpora["askx"]])},
        settings(),
        0,
    )
    assert all(before[s].equals(after[s], null_equal=True) for s in before)
    listed = funnel.filter(step="below_minimum").select("split", "group", "n_answers", "n_questions").rows()
    assert listed == [("askx", "d", small.height, 10), ("multi", "d", small.height, 10)]


def test_askx_counts_questions_and_the_others_answers() -> None:
    many = pl.concat([forum(g, 30, s, 500) for s, g in enumerate("ab")])
    sample_groups({"askx": many}, settings(askx=30), 0)
    with pytest.raises(InputError, match=r"split askx: 0 of the groups .* Questions per group: a 30, b 30\. The mini"):
        sample_groups({"askx": many}, settings(askx=31), 0)
    n = many.filter(group="a").height
    with pytest.raises(InputError, match=rf"Answers per group: a {n}, b .*lower sampling.minimum.multi or add answers"):
        sample_groups({"multi": many}, settings(multi=1000), 0)


def test_one_group_left_is_an_error_with_the_counts() -> None:
    rows = pl.concat([loners("a", 40), loners("b", 39)])
    with pytest.raises(InputError, match=r"split single: 1 of the groups can take part.*a 40, b 39.*minimum is 40"):
        sample_groups({"single": rows}, settings(), 0)


def test_a_group_with_an_empty_part_is_left_out_and_listed() -> None:
    one_author = loners("c", 40).with_columns(author=pl.lit("u"))
    rows = pl.concat([loners("a", 40), loners("b", 40), one_author])
    samples, funnel = sample_groups({"single": rows}, settings(max_component_share=0.9), 0)
    assert samples["single"]["group"].unique().sort().to_list() == ["a", "b"]
    assert funnel.filter(step="empty_part").select("group", "n_answers").rows() == [("c", 40)]
    # cut into 20, 10 and 10 questions, with the author in train
    dropped = dict(funnel.filter(step="dropped_disjoint").select("group", "n_answers").iter_rows())
    assert dropped == {"a": 0, "b": 0, "c": 20}


def test_a_shortfall_is_reported() -> None:
    rows = pl.concat([loners("a", 40), loners("b", 80)])
    samples, funnel = sample_groups({"single": rows}, settings(per_group=PerGroup(single=80)), 0)
    assert samples["single"].group_by("group").len().sort("group")["len"].to_list() == [40, 80]
    short = {(g, p): n for g, p, n in funnel.filter(step="shortfall").select("group", "part", "n_answers").iter_rows()}
    assert short == {
        ("a", "train"): 20,
        ("a", "val"): 10,
        ("a", "test"): 10,
        ("b", "train"): 0,
        ("b", "val"): 0,
        ("b", "test"): 0,
    }


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("group", "b", "answer_id 'a-1' has group 'b' in split multi and group 'a' in split single"),
        ("question_id", "new", "answer_id 'a-1' has question_id 'new' in split multi and question_id 'a-q1' in split"),
        ("author", "u", "answer_id 'a-1' has author 'u' in split multi and author None in split single"),
        # what reads answers of several splits takes one text for an id
        ("answer", "no", "answer_id 'a-1' has answer 'no' in split multi and answer 'ok' in split single (1 such ids)"),
        ("question", "other", "question_id 'a-q1' has question 'other' in split multi and question 'text a 1' in"),
    ],
)
def test_an_answer_that_differs_between_splits_is_an_error(column: str, value: str, message: str) -> None:
    rows = pl.concat([loners("a", 60), loners("b", 60)])
    changed = pl.when(pl.col("answer_id") == "a-1").then(pl.lit(value)).otherwise(column)
    with pytest.raises(InputError) as caught:
        sample_groups({"single": rows, "multi": rows.with_columns(changed.alias(column))}, settings(), 0)
    assert message in str(caught.value)


def test_quotas_by_hand() -> None:
    default = Parts()
    assert default.quotas(100) == {"train": 70, "val": 15, "test": 15}
    # 91, 19.5, 19.5: one half is rounded up, that of test
    assert default.quotas(130) == {"train": 91, "val": 19, "test": 20}
    assert default.quotas(3) == {"train": 1, "val": 1, "test": 1}
    for total in range(3, 60):
        for shares in (default, HALVES, Parts(train=0.98, val=0.01, test=0.01), Parts(train=0.1, val=0.1, test=0.8)):
            quotas = shares.quotas(total)
            assert sum(quotas.values()) == total and min(quotas.values()) >= 1
    with pytest.raises(InputError, match="2 is too few"):
        default.quotas(2)


def test_minimum_is_the_default_size_of_a_draw() -> None:
    rows = pl.concat([loners("a", 100), loners("b", 100)])
    chosen = SamplingSettings(minimum=Minimum(single=40))
    samples, _ = sample_groups({"single": rows}, chosen, 0)
    assert dict(samples["single"].group_by("group").len().iter_rows()) == {"a": 40, "b": 40}


def test_groups_that_cannot_be_parted_are_told_the_true_reason() -> None:
    # two questions, forty authors: a smaller minimum cannot help
    rows = [(f"{g}-q{i % 2}", f"text {g} {i % 2}", f"{g}{i}", "ok", f"{g}{i}", g) for g in "ab" for i in range(40)]
    corpus = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    with pytest.raises(InputError) as caught:
        sample_groups({"single": corpus}, settings(), 0)
    assert "group 'a': its 40 answers come from 2 questions and 40 known authors, in 2 sets that share neither" in str(
        caught.value
    )
    assert "train, val and test need 3: add questions or authors; group 'b'" in str(caught.value)
    assert "lower sampling.minimum" not in str(caught.value)


def test_parts_below_the_floor_are_refused_with_their_sizes() -> None:
    corpora = {"single": pl.concat([loners("a", 60), loners("b", 10)])}
    chosen = settings(single=10, per_group={"single": 60}, parts=Parts())
    with pytest.raises(InputError, match=r"split single: .*in a part: 'b' test 1, 'b' val 1; sampling.min_part is 3"):
        sample_groups(corpora, chosen, 0)
    assert sample_groups(corpora, settings(single=10, per_group={"single": 60}, parts=Parts(), min_part=1), 0)


def test_two_spellings_of_a_group_in_two_splits_are_refused() -> None:
    corpora = {"single": pl.concat([loners("a", 60), loners("b", 60)]), "multi": loners("A", 60)}
    with pytest.raises(InputError, match=r"splits multi, single: column 'group': 'A' \(60 answers\) and 'a' \(60"):
        sample_groups(corpora, settings(), 0)
