"""The sweep on outcomes that are known: halving, guards, the best setting, and the choice among methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import SWEEP
from sociolect.settings.steering import SweepSettings
from sociolect.steering.sweep import (
    UNSTEERED,
    Outcome,
    Setting,
    best_of,
    candidates,
    choice_of,
    is_kept,
    layer_sets,
    question_shares,
    search,
    sweep_table,
)

BASE = Outcome(16, 0.2, 0.0, 0.0, 0.0, 0.0, 2.0, 0.05, 0.0)
MODES = {"all": "add", "distinctive": "add", "rotated": "rotate"}


def outcome(gain: float, change: float = 0.0, **more: Any) -> Outcome:
    """Of a setting that gains so much, on own and on other targets, and changes the log perplexity by so much."""
    values = {
        "n": 16, "hit_rate": 0.2 + gain, "correct_change_rate": gain, "gain_own": gain, "gain_cross": gain,
        "topic_loss": 0.0, "log_perplexity": 2.0 + change, "repetition": 0.05, "empty": 0.0,
    }  # fmt: skip
    return Outcome(**{**values, **more})


def setting(method: str = "all", layers: tuple[int, ...] = (1,), alpha: float = 0.1) -> Setting:
    return Setting(method, layers, alpha, "last")


def test_layers_of_depths() -> None:
    depths = SweepSettings(depths=(0.25, 0.4, 0.5, 0.6, 0.75), band=(0.4, 0.6))
    assert layer_sets(depths, 32) == [(8,), (12,), (16,), (19,), (24,), tuple(range(12, 20))]
    assert layer_sets(depths, 4) == [(1,), (2,), (3,), (1, 2)]
    assert layer_sets(SweepSettings(depths=(0.0, 1.0), band=None), 4) == [(0,), (3,)]


def test_candidates_are_all_strengths_above_0_at_all_places_smaller_ones_first() -> None:
    settings = SweepSettings(alphas=(0.4, 0.0, 0.1, 0.4), depths=(0.0, 0.5), band=None, positions=("last", "all"))
    found = candidates("all", 4, settings)
    assert found[0] == Setting("all", (0,), 0.1, "last") and len(found) == len(set(found)) == 2 * 2 * 2
    assert [s.alpha for s in found] == [0.1] * 4 + [0.4] * 4


def test_each_round_halves_the_settings_and_doubles_the_questions() -> None:
    settings = SweepSettings(halvings=2)
    assert question_shares(settings) == [0.25, 0.5, 1.0] and question_shares(SweepSettings(halvings=0)) == [1.0]
    tried = candidates("all", 4, SweepSettings(alphas=(0.1, 0.2, 0.3), depths=(0.0, 0.25, 0.5, 0.75), band=None))
    planted = tried[7]
    rounds: list[tuple[list[Setting], float]] = []

    def evaluate(batch: Sequence[Setting], share: float) -> list[Outcome]:
        rounds.append((list(batch), share))
        # others come near it, in an order that is not that of their places
        gains = [0.5 if s == planted else 0.01 * (5 * tried.index(s) % 12) for s in batch]
        return [outcome(gain, n=int(16 * share)) for gain in gains]

    found = search(evaluate, tried, settings, [BASE] * 3)
    assert [(len(batch), share) for batch, share in rounds] == [(12, 0.25), (6, 0.5), (3, 1.0)]
    # generations: 12 settings on 4, 6 on 8 and 3 on 16 answers, instead of 12 on 16
    assert sum(len(batch) * share * 16 for batch, share in rounds) == 144
    best = sorted(tried, key=lambda s: (s != planted, -(5 * tried.index(s) % 12)))
    assert [set(batch) for batch, _ in rounds] == [set(tried), set(best[:6]), set(best[:3])]
    assert rounds[1][0] == [s for s in tried if s in rounds[1][0]], "those that go on keep their order"
    # every setting has the outcome of its last round
    assert set(found) == set(tried) and {found[s].n for s in rounds[2][0]} == {16}
    assert sorted(o.n for o in found.values()) == [4] * 6 + [8] * 3 + [16] * 3
    assert best_of(found, BASE, settings) == planted


def test_what_breaks_the_text_does_not_go_on_however_much_it_gains() -> None:
    broken, weak, weaker = setting(alpha=0.4), setting(alpha=0.2), setting(alpha=0.1)
    outcomes = {broken: outcome(0.9, change=-1.0), weak: outcome(0.2), weaker: outcome(-0.1)}
    rounds: list[list[Setting]] = []

    def evaluate(batch: Sequence[Setting], share: float) -> list[Outcome]:
        rounds.append(list(batch))
        return [outcomes[s] for s in batch]

    search(evaluate, [broken, weak, weaker], SweepSettings(halvings=1), [BASE, BASE])
    assert rounds[1] == [weak]
    # a round's guards are held against what the unsteered model does with the same questions
    rounds.clear()
    other = Outcome(**{**vars(BASE), "log_perplexity": 1.0})
    search(evaluate, [broken, weak, weaker], SweepSettings(halvings=1), [other, BASE])
    assert rounds[1] == [broken]
    # one goes on, even of one
    rounds.clear()
    search(evaluate, [broken], SweepSettings(halvings=3), [BASE] * 4)
    assert rounds == [[broken]] * 4


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        (outcome(0.9, change=0.49), outcome(0.9, change=0.51)),
        (outcome(0.9, change=-0.49), outcome(0.9, change=-0.51)),
        (outcome(0.9, repetition=0.3), outcome(0.9, repetition=0.31)),
        (outcome(0.9, empty=0.1), outcome(0.9, empty=0.11)),
        (outcome(0.9), outcome(0.9, log_perplexity=None)),
        (outcome(0.9, topic_loss=0.1), outcome(0.9, topic_loss=0.11)),
        (outcome(0.9, topic_loss=-1.0), outcome(0.9, topic_loss=1.0)),
    ],
)
def test_guards(inside: Outcome, outside: Outcome) -> None:
    settings = SweepSettings()
    assert is_kept(inside, BASE, settings) and not is_kept(outside, BASE, settings)
    found = {setting(alpha=0.1): outside, setting(alpha=0.2): outcome(0.01)}
    assert best_of(found, BASE, settings) == setting(alpha=0.2)
    # as much repetition and emptiness as the unsteered model itself has
    loose = Outcome(**{**vars(BASE), "repetition": 0.31, "empty": 0.5})
    assert is_kept(outcome(0.9, repetition=0.31, empty=0.6), loose, settings)
    assert not is_kept(outcome(0.9), Outcome(**{**vars(BASE), "log_perplexity": None}), settings)


def test_the_best_gains_most_and_ties_go_to_the_weaker_and_narrower_one() -> None:
    settings = SweepSettings()
    tied = [setting(layers=(1, 2), alpha=0.2), setting(layers=(3,), alpha=0.2), setting(layers=(2,), alpha=0.2)]
    found = {setting(layers=(2,), alpha=0.4): outcome(0.3), **{s: outcome(0.3) for s in tied}}
    # of equal strength and width the first that was tried
    assert best_of(found, BASE, settings) == setting(layers=(3,), alpha=0.2)
    assert best_of(found | {setting(alpha=0.9): outcome(0.31)}, BASE, settings).alpha == 0.9
    # what counts is the mean of own and other targets
    found = {setting(alpha=0.1): outcome(0.9, gain_cross=-0.3), setting(alpha=0.2): outcome(0.31)}
    assert best_of(found, BASE, settings).alpha == 0.2
    # one that was tried on a part of the questions is not the best, whatever it gained there
    assert best_of(found | {setting(alpha=0.05): outcome(1.0, n=8)}, BASE, settings).alpha == 0.2


@pytest.mark.parametrize(
    "found", [{}, {setting(): outcome(0.0)}, {setting(): outcome(-0.1)}, {setting(): outcome(0.9, change=2)}]
)
def test_nothing_that_gains_nothing_is_chosen(found: dict[Setting, Outcome]) -> None:
    assert best_of(found, BASE, SweepSettings()) == UNSTEERED


def test_the_table_has_the_unsteered_row_first_and_says_what_is_inside_the_guards() -> None:
    settings = SweepSettings()
    found = {
        setting(alpha=0.4): outcome(0.9, change=0.51),
        setting(alpha=0.2): outcome(0.3, gain_cross=0.1),
        setting(alpha=0.1): outcome(0.1, topic_loss=0.2, log_perplexity=None),
    }
    frame = check_table(sweep_table(found, BASE, settings), SWEEP, "test")
    assert frame["method"].to_list() == ["unsteered", "all", "all", "all"] and frame["alpha"].to_list() == [
        0,
        0.1,
        0.2,
        0.4,
    ]
    assert frame["fluent"].to_list() == [True, False, True, False]
    assert frame["on_topic"].to_list() == [True, False, True, True]
    assert not frame["best"].any() and not frame["chosen"].any()
    assert frame["gain"].to_list() == pytest.approx([0, 0.1, 0.2, 0.9])
    assert frame["log_perplexity"].to_list() == pytest.approx([2.0, None, 2.0, 2.51])


def tried(method: str, gains: Sequence[float], base: Outcome = BASE) -> pl.DataFrame:
    """SWEEP of a method whose strengths 0.1, 0.2, ... gain so much."""
    found = {setting(method, alpha=(1 + i) / 10): outcome(gain) for i, gain in enumerate(gains)}
    return sweep_table(found, base, SweepSettings())


def test_the_method_that_gains_most_is_chosen_and_every_method_keeps_its_own_best() -> None:
    frames = [tried("all", [0.1, 0.2]), tried("rotated", [0.4, 0.3]), tried("distinctive", [0.9])]
    choice, table = choice_of(frames, MODES, [1.0, 2.0], ["all", "rotated"])
    check_table(table, SWEEP, "test")
    assert {key: choice[key] for key in ("method", "layers", "alpha", "positions", "mode", "fluent")} == {
        "method": "rotated", "layers": [1], "alpha": 0.1, "positions": "last", "mode": "rotate", "fluent": True
    }  # fmt: skip
    assert choice["residual_norms"] == [1.0, 2.0]
    # what cannot steer all groups is shown, not chosen
    assert {name: (how["alpha"], how["mode"]) for name, how in choice["methods"].items()} == {
        "all": (0.2, "add"), "rotated": (0.1, "rotate"), "distinctive": (0.1, "add")
    }  # fmt: skip
    assert table.height == 1 + 5 and table["method"][0] == "unsteered"
    assert table.filter("chosen").select("method", "alpha").rows() == [("rotated", 0.1)]
    assert table.filter("best").height == 3
    for part in ("rotated at blocks 1 with strength 0.1: share of the target +0.400 on own", "5 of 5 settings",
                 "16 val answers", "next best all with +0.200"):  # fmt: skip
        assert part in choice["why"]


def test_a_tie_of_methods_goes_to_the_order_of_the_setting() -> None:
    frames = [tried("rotated", [0.2]), tried("all", [0.2])]
    assert choice_of(frames, MODES, [1.0], ["all", "rotated"])[0]["method"] == "rotated"
    assert choice_of(frames[::-1], MODES, [1.0], ["all", "rotated"])[0]["method"] == "all"


def test_where_no_method_gains_the_choice_is_not_to_steer() -> None:
    frames = [tried("distinctive", [0.5]), tried("all", [-0.1, 0.0]), tried("rotated", [-0.2])]
    choice, table = choice_of(frames, MODES, [1.0], ["all", "rotated"])
    assert (choice["method"], choice["alpha"], choice["fluent"]) == ("all", 0.0, False)
    assert choice["why"].startswith("not to steer: of 4 settings 4 are inside the guards")
    assert table.filter("chosen")["method"].to_list() == ["unsteered"]
    # what a method does is shown with its best setting all the same
    assert {name: (how["alpha"], how["inside"]) for name, how in choice["methods"].items()} == {
        "all": (0.2, False),
        "rotated": (0.1, False),
        "distinctive": (0.1, True),
    }


def test_a_method_is_shown_with_what_is_fluent_and_chosen_inside_both_guards() -> None:
    found = {
        setting(alpha=0.1): outcome(0.1),
        setting(alpha=0.2): outcome(0.3, topic_loss=0.2),
        setting(alpha=0.3): outcome(0.9, change=0.51),
        setting(alpha=0.4): outcome(0.8, n=8),
    }
    frame = sweep_table(found, BASE, SweepSettings())
    assert choice_of([frame], MODES, [1.0], ["all"])[0]["alpha"] == 0.1
    # nothing on topic gains: the choice is not to steer, and the method is shown with what it can do
    del found[setting(alpha=0.1)]
    choice, table = choice_of([sweep_table(found, BASE, SweepSettings())], MODES, [1.0], ["all"])
    assert (choice["alpha"], choice["fluent"]) == (0.0, False)
    assert choice["methods"]["all"]["alpha"] == 0.2 and not choice["methods"]["all"]["inside"]
    assert table.filter("best")["alpha"].to_list() == [0.2] and table.filter("chosen")["method"][0] == "unsteered"
    # what is not fluent is not shown
    del found[setting(alpha=0.2)]
    choice, _ = choice_of([sweep_table(found, BASE, SweepSettings())], MODES, [1.0], ["all"])
    assert choice["methods"]["all"]["alpha"] == 0


def test_a_method_that_gains_nothing_does_not_stand_in_the_way_of_one_that_does() -> None:
    for frames in ([tried("all", [-0.1]), tried("rotated", [0.3])], [tried("rotated", [0.3]), tried("all", [-0.1])]):
        choice, table = choice_of(frames, MODES, [1.0], ["all", "rotated"])
        assert choice["method"] == "rotated" and not choice["methods"]["all"]["inside"]
        assert table.filter("best")["method"].to_list() == ["all", "rotated"]
        assert table.filter("chosen")["method"].to_list() == ["rotated"]


def test_a_choice_needs_a_method_for_every_group_and_one_set_of_unsteered_answers() -> None:
    with pytest.raises(InputError, match=r"none of steering\.methods \(distinctive\) has a vector for every group"):
        choice_of([tried("distinctive", [0.5])], MODES, [1.0], ["all"])
    other = Outcome(**{**vars(BASE), "log_perplexity": 2.1})
    frames = [tried("all", [0.1]), tried("rotated", [0.1], other)]
    with pytest.raises(InputError, match="tried beside different unsteered answers"):
        choice_of(frames, MODES, [1.0], ["all", "rotated"])
    # a method that cannot steer all groups was tried on fewer questions
    assert choice_of(frames, MODES, [1.0], ["all"])[0]["method"] == "all"


def test_few_questions_exclude_nothing_for_its_topic() -> None:
    """On a half of the questions the topic probe errs; on all of them the setting is on topic and best."""
    settings = SweepSettings(halvings=1)
    best, other = Setting("all", (1,), 0.2, "last"), Setting("all", (2,), 0.2, "last")
    early = {best: outcome(gain=0.6, topic_loss=0.3), other: outcome(gain=0.3, topic_loss=0.0)}
    late = {best: outcome(gain=0.6, topic_loss=0.05), other: outcome(gain=0.3, topic_loss=0.0)}

    def evaluate(tried: Sequence[Setting], share: float) -> list[Outcome]:
        return [(early if share < 1 else late)[s] for s in tried]

    found = search(evaluate, [other, best], settings, [BASE, BASE])
    assert best_of(found, BASE, settings) == best
    # what it loses beyond the guard counts against it all the same
    early[best] = outcome(gain=0.6, topic_loss=0.5)
    assert best_of(search(evaluate, [other, best], settings, [BASE, BASE]), BASE, settings) == other
