"""Tuning: planted clusters are found, trials repeat themselves."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest
import torch

from made_tables import planted
from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import TRIALS
from sociolect.embedding.fit_data import fit_data, permuted, subsample
from sociolect.embedding.net import embed, nearest_group
from sociolect.embedding.net_training import _Bags, train_net, val_accuracy
from sociolect.embedding.triplets import find_triplets, split_roles
from sociolect.embedding.tuning import best_trial, search_space, trial_seed, tune
from sociolect.settings.embedding import EmbeddingSettings, Loss

SCRIPTS = Path(__file__).parents[3] / "workflow/scripts"
CHEAP = EmbeddingSettings(n_trials=3, max_epochs=4, widths=(32,), dimensions=(4,), batch_sizes=(32, 48))


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
    number, hyper, _ = best_trial(trials, CHEAP)
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
    number, hyper, value = best_trial(first, settings)
    again = [train_net(data, hyper, settings, trial_seed(7, number)) for _ in range(2)]
    assert again[0].accuracy == again[1].accuracy == value
    assert torch.equal(again[0].net.output.weight, again[1].net.output.weight)


def test_trials_table_holds_readable_parameters() -> None:
    trials = tune(fit_data(planted(120)), CHEAP.model_copy(update={"n_trials": 1}), run_seed=2)
    assert json.loads(trials["params"][0])["batch_size"] in (32, 48)
    # what has one value is not searched, and is that value
    assert best_trial(trials, CHEAP)[1].width == 32
    with pytest.raises(InputError, match="0 trials are marked"):
        best_trial(trials.with_columns(pl.lit(False).alias("chosen")), CHEAP)


def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    data, settings = fit_data(planted(240)), CHEAP.model_copy(update={"n_trials": 4})
    whole = tune(data, settings, run_seed=5)
    program = Path(__file__).with_name("search_to_be_killed.py")
    journal = tmp_path / "cells" / "a.journal"
    with subprocess.Popen([sys.executable, str(program), str(journal)], cwd=SCRIPTS) as process:
        deadline = time.monotonic() + 60
        # until the second trial is under way and has drawn one of its parameters
        while not journal.exists() or '"trial_id":1,"param_name"' not in journal.read_text():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
    assert tune(data, settings, run_seed=5, journal=journal).equals(whole)
    # all there: nothing is trained any more
    begun = journal.read_text().count('"op_code":4')
    assert tune(data, settings, run_seed=5, journal=journal).equals(whole)
    assert journal.read_text().count('"op_code":4') == begun


LOSSES = get_args(Loss)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_learns_what_is_there_and_nothing_from_permuted_groups(loss: str) -> None:
    settings = CHEAP.model_copy(update={"loss": loss, "distances": ("cosine", "euclidean"), "n_trials": 2})
    data = fit_data(planted(480, shift=0.3))
    assert tune(data, settings, run_seed=1)["value"].max() > 0.8  # type: ignore[operator]
    _check_chance(settings)


@pytest.mark.parametrize("kind", ["lda", "whitening", "identity"])
def test_every_map_without_a_net_learns_what_is_there_and_nothing_from_permuted_groups(kind: str) -> None:
    settings = CHEAP.model_copy(update={"map": kind})
    data = fit_data(planted(480, shift=0.3))
    assert tune(data, settings, run_seed=1)["value"].max() > 0.8  # type: ignore[operator]
    _check_chance(settings)


def _check_chance(settings: EmbeddingSettings) -> None:
    """After train with permuted groups, what no epoch was chosen by is told at chance."""
    # groups that overlap: whole groups that are told wrong or right by chance would need many more seeds
    data = fit_data(planted(480, shift=0.1))
    once = settings.model_copy(update={"max_epochs": 2, "n_trials": 1})
    _, hyper, _ = best_trial(tune(data, once, run_seed=1), once)
    half = np.arange(len(data.val_group)) % 2 == 0
    found = []
    for seed in range(8):
        shuffled = permuted(data, seed)
        choosing = replace(shuffled, val_style=data.val_style[half], val_group=data.val_group[half])
        counted = replace(shuffled, val_style=data.val_style[~half], val_group=data.val_group[~half])
        net = train_net(choosing, hyper, once, seed).net
        found.append(val_accuracy(net, counted, hyper.distance, once))
    assert np.mean(found) == pytest.approx(1 / 3, abs=0.12)


def test_only_what_the_loss_reads_is_searched() -> None:
    assert set(search_space(EmbeddingSettings(map="lda"))) == set()
    both: Any = {"distances": ("euclidean", "cosine")}
    assert set(search_space(EmbeddingSettings(map="identity", **both))) == {"distance"}
    net = {"distance", "width", "dimension", "dropout", "input_dropout", "learning_rate", "weight_decay", "batch_size"}
    assert set(search_space(EmbeddingSettings(loss="triplet", **both))) == net | {"margin", "miner"}
    assert set(search_space(EmbeddingSettings(**both))) == net | {"temperature"}
    assert set(search_space(EmbeddingSettings())) == net - {"distance"}
    assert EmbeddingSettings(loss="triplet").center == "style" and EmbeddingSettings().center == "mean_embedding"


def test_whitening_before_the_net_is_folded_into_it() -> None:
    data = fit_data(planted(240))
    settings = CHEAP.model_copy(update={"whitening": "within_author"})
    _, hyper, value = best_trial(tune(data, settings, run_seed=1), settings)
    net = train_net(data, hyper, settings, trial_seed(1, 0)).net
    assert val_accuracy(net, data, hyper.distance, settings) > 0.95 and value > 0.95
    assert np.allclose(net.mean.numpy(), data.style.mean(0).numpy()), "it takes plain style vectors"


def test_a_share_of_train_keeps_every_group_and_the_weights_of_a_mean() -> None:
    data = fit_data(planted(240))
    less = subsample(data, 0.25, seed=3)
    sizes = torch.bincount(less.who.group)
    assert sizes.tolist() == [round(0.25 * int(n)) for n in torch.bincount(data.who.group)]
    sums = torch.zeros(3).index_add_(0, less.who.group, less.weight)
    assert torch.allclose(sums, torch.ones(3))
    assert less.val_group is data.val_group
