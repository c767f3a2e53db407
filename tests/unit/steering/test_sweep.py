"""The sweep on outcomes that are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import SWEEP
from sociolect.settings.steering import SweepSettings
from sociolect.steering.sweep import Outcome, Setting, choose, layer_sets, measure, search, sweep_table

torch.set_num_threads(1)
BASE = Outcome(10, 0.2, 0.0, 2.0, 0.05, 0.0)


def outcome(rate: float, change: float = 0.0, **more: Any) -> Outcome:
    values = {"n": 10, "hit_rate": rate, "log_perplexity": 2.0 + change, "repetition": 0.05, "empty": 0.0}
    return Outcome(**{**values, "correct_change_rate": rate, **more})


def test_layers_of_depths() -> None:
    depths = SweepSettings(depths=(0.25, 0.4, 0.5, 0.6, 0.75), band=(0.4, 0.6))
    assert layer_sets(depths, 32) == [(8,), (12,), (16,), (19,), (24,), tuple(range(12, 20))]
    assert layer_sets(depths, 4) == [(1,), (2,), (3,), (1, 2)]
    assert layer_sets(SweepSettings(depths=(0.0, 1.0), band=None), 4) == [(0,), (3,)]
    with pytest.raises(InputError, match="both empty"):
        layer_sets(SweepSettings(depths=(), band=None), 4)


@pytest.mark.parametrize("refine", [None, 1, 3])
def test_the_search_finds_the_best_fluent_setting(refine: int | None) -> None:
    """Layer 2 works best, at 0.4; beyond that the text breaks; method `distinctive` is a little better."""
    asked: list[Setting] = []

    def evaluate(batch: Sequence[Setting]) -> list[Outcome]:
        asked.extend(batch)
        made = []
        for s in batch:
            strength = s.alpha * {0: 0.3, 1: 0.6, 2: 1.0, 3: 0.2}[s.layers[0]]
            made.append(outcome(strength * (1.0 if s.method == "distinctive" else 0.9), change=-(s.alpha**2)))
        return made

    settings = SweepSettings(refine=refine)
    found = search(evaluate, ["all", "distinctive"], [(0,), (1,), (2,), (3,)], settings, BASE)
    assert choose(found, BASE, settings) == Setting("distinctive", (2,), 0.4)
    assert len(asked) == len(set(asked)) == len(found)
    assert len(asked) == {None: 40, 1: 24 + 2, 3: 24 + 6}[refine]


def test_guard_is_two_sided_and_ties_go_to_the_smaller_strength() -> None:
    settings = SweepSettings()
    bad = {
        Setting("all", (1,), 0.05): outcome(0.9, change=0.51),
        Setting("all", (1,), 0.1): outcome(0.9, change=-0.51),
        Setting("all", (1,), 0.2): outcome(0.9, repetition=0.31),
        Setting("all", (1,), 0.4): outcome(0.9, empty=0.2),
        Setting("all", (1,), 0.8): outcome(0.9, log_perplexity=None),
    }
    good = {
        Setting("all", (1, 2), 0.2): outcome(0.3),
        Setting("all", (2,), 0.2): outcome(0.3),
        Setting("all", (2,), 0.4): outcome(0.3),
    }
    chosen = choose({**bad, **good}, BASE, settings)
    assert chosen == Setting("all", (2,), 0.2)
    assert choose(bad, BASE, settings) == Setting("all", (1,), 0.05), "never switched off in silence"
    frame = sweep_table({**bad, **good}, BASE, chosen, settings)
    check_table(frame, SWEEP, "test")
    assert frame["fluent"].to_list() == [True, False, False, False, False, False, True, True, True]
    assert frame["chosen"].sum() == 1 and frame["alpha"][0] == 0
    with pytest.raises(InputError, match="no strength above 0"):
        search(lambda batch: [], ["all"], [(1,)], SweepSettings(alphas=(0.0,)), BASE)


def test_measure_counts_those_that_came() -> None:
    found = measure(
        ["a b", "c", " ", "d"],
        targets=["x", "x", "y", "y"],
        nearest=["x", "x", "y", "x"],
        reference=["x", "y", "x", "y"],
        log_perplexity=np.array([1.0, 2.0, np.nan, 6.0]),
        repetition=[0, 0, 0, 1],
    )
    assert found == Outcome(4, 0.75, 0.5, 3.0, 0.25, 0.25)
