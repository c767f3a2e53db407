"""Tuning: planted clusters are found, trials repeat themselves."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from made_tables import planted
from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import TRIALS
from sociolect.embedding.net import embed, nearest_group
from sociolect.embedding.triplets import find_triplets, split_roles
from sociolect.embedding.tuning import _Bags, best_trial, fit_data, train_net, trial_seed, tune
from sociolect.settings.embedding import EmbeddingSettings

CHEAP = EmbeddingSettings(n_trials=3, max_epochs=4, widths=(32,), dimensions=(4,), batch_sizes=(48,))


def test_prototypes_share_no_author_question_or_anchor_with_the_batch() -> None:
    frame = planted(600).with_columns(pl.Series("author", [f"u{i % 150}" for i in range(600)]))
    data = fit_data(frame)
    is_anchor = torch.from_numpy(split_roles(data.who.group.numpy(), 1))
    # each answer's style is its author's number, so that a median names an author that was drawn
    data.style[:] = data.who.author[:, None].float()
    batch = np.arange(30)
    made: Any = _Bags(data, 2, np.random.default_rng(0), is_anchor).with_prototypes(batch)
    style, people, roles = made
    assert len(style) == 30 + 6 and not roles[30:].any()
    assert not set(style[30:, 0].tolist()) & set(data.who.author[:30].tolist())
    assert set(find_triplets(style, people, "euclidean", 1e9, is_anchor=roles)[0].tolist()) <= set(range(30))


def test_planted_groups_are_found_and_shuffled_ones_are_not() -> None:
    trials = tune(fit_data(planted(480)), CHEAP, run_seed=1)
    assert trials["value"].max() >= 0.95  # type: ignore[operator]
    shuffled = planted(480).with_columns(pl.col("group").shuffle(seed=1))
    data = fit_data(shuffled)
    number, hyper, _ = best_trial(trials)
    net = train_net(data, hyper, CHEAP, trial_seed(1, number)).net
    test = shuffled.filter(pl.col("part") == "test")
    found = nearest_group(
        embed(net, test["style"].to_numpy()), embed(net, data.prototypes), data.groups, hyper.distance
    )
    assert abs(np.mean(np.array(found) == test["group"].to_numpy()) - 1 / 3) < 0.15  # 3.5 standard errors


@pytest.mark.parametrize("roles", ["mixed", "disjoint"])
def test_a_trial_comes_out_the_same_whatever_the_order_of_rows_and_the_global_generator(roles: str) -> None:
    settings = CHEAP.model_copy(update={"n_trials": 2, "roles": roles})
    frame = planted(240)
    torch.manual_seed(1)
    first = tune(fit_data(frame), settings, run_seed=7)
    torch.manual_seed(2)
    data = fit_data(frame.sample(fraction=1, shuffle=True, seed=3))
    second = tune(data, settings, run_seed=7)
    assert first.equals(second)
    check_table(first, TRIALS, "trials")
    number, hyper, value = best_trial(first)
    again = [train_net(data, hyper, settings, trial_seed(7, number)) for _ in range(2)]
    assert again[0].accuracy == again[1].accuracy == value
    assert torch.equal(again[0].net.output.weight, again[1].net.output.weight)


def test_trials_table_holds_readable_parameters() -> None:
    trials = tune(fit_data(planted(120)), CHEAP.model_copy(update={"n_trials": 1}), run_seed=2)
    assert json.loads(trials["params"][0])["width"] == 32
    with pytest.raises(InputError, match="0 trials are marked"):
        best_trial(trials.with_columns(pl.lit(False).alias("chosen")))
