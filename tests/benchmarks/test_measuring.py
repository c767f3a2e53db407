"""Rounds in turn, ratios of rounds, and tokens that were computed."""

from __future__ import annotations

import torch

from measuring import Spent, Turns, alternate, computed_tokens

CPU = torch.device("cpu")


def test_rounds_alternate_and_ratios_are_paired() -> None:
    calls: list[str] = []
    contenders = {name: (1, lambda name=name: calls.append(name)) for name in "ab"}
    turns = alternate(contenders, 3, 0.0, CPU)
    assert calls == ["a", "b"] * 3 and len(turns["a"].speeds) == 3
    # the machine slows down threefold: medians of each alone would say 1, the rounds say 2
    assert Turns([6, 4, 2], 1.0).ratio(Turns([3, 2, 1], 1.0)) == 2
    assert Turns([12, 2, 2], 1.0).ratio(Turns([6, 1, 1], 1.0)) == 2


def test_work_of_another_process_is_timed_there() -> None:
    turns = alternate({"a": (6, lambda: Spent(2.0, 3.0))}, 2, 0.0, CPU)
    assert turns["a"].speeds == [3.0, 3.0] and turns["a"].seconds == 4.0


def test_computed_tokens_are_those_of_the_first_layer() -> None:
    up, down = torch.nn.Linear(2, 5), torch.nn.Linear(5, 2)
    with computed_tokens((5, 2), 2) as found:
        for n in (6, 4):
            # the second layer keeps one row per sequence
            for x in (torch.zeros(2, n, 2), torch.zeros(2, 1, 2)):
                down(up(x))
    up(torch.zeros(1, 2))
    assert found == [12, 8]
