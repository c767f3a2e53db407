"""Group vectors by hand, controls, and the sweep on outcomes that are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from test_hooks import tiny

from sociolect.common.artifacts import check_table, matrix, vectors
from sociolect.common.errors import InputError
from sociolect.common.schemas import STEERING, SWEEP
from sociolect.generation.conditions import resolve_method
from sociolect.lm.prompts import Prompts
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.models import ScratchTokenizer
from sociolect.settings.steering import SteeringSettings, SweepSettings
from sociolect.steering.sweep import Outcome, Setting, choose, layer_sets, measure, search, sweep_table
from sociolect.steering.trials import Trials, usable_methods
from sociolect.steering.vectors import build_steering, combine
from sociolect.steering.vectors_file import scaled_vectors

torch.set_num_threads(1)
IDS = ["a0", "a1", "a2", "a3"]


def activations(values: np.ndarray) -> pl.DataFrame:
    k, layers, width = values.shape
    return pl.DataFrame(
        {
            "attribute_id": [a for a in IDS[:k] for _ in range(layers)],
            "layer": pl.Series(list(range(layers)) * k, dtype=pl.Int32),
            "vector": vectors(values.reshape(-1, width), "vector"),
        }
    )


def groups(style: Sequence[Sequence[float]], distinctive: Sequence[Sequence[str]]) -> pl.DataFrame:
    style_column = vectors(np.array(style), "style")
    return pl.DataFrame({"group": ["x", "y", "z"][: len(style)], "style": style_column}).with_columns(
        pl.Series("distinctive", distinctive, dtype=pl.List(pl.String))
    )


def unit_vector(frame: pl.DataFrame, group: str, method: str) -> np.ndarray:
    return matrix(frame.filter((pl.col("group") == group) & (pl.col("method") == method)).sort("layer")["vector"])


def test_combine_by_hand() -> None:
    unit = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert np.allclose(combine(unit, np.array([0.75, 0.25]), "g"), np.array([[3.0, 1.0]]) / math.sqrt(10))
    with pytest.raises(InputError, match="group 'g': the weighted attribute vectors cancel out at layer 0"):
        combine(np.array([[[1.0, 0.0]], [[-1.0, 0.0]]]), np.array([0.5, 0.5]), "group 'g'")


def test_vectors_do_not_depend_on_activation_lengths_or_row_order() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((4, 2, 8))
    profile = groups([[0.9, 0.1, 0.5, 0.4], [0.2, 0.8, 0.5, 0.4]], [["a0"], ["a1"]])
    settings = SteeringSettings(n_eff=2)
    frame, report = build_steering(profile, activations(values), IDS, settings, 1)
    check_table(frame, STEERING, "test")
    assert np.allclose(np.linalg.norm(matrix(frame["vector"]), axis=1), 1, atol=1e-6)
    longer = activations(values * np.array([1, 5, 9, 2])[:, None, None])
    again, _ = build_steering(profile.reverse(), longer.reverse(), IDS, settings, 1)
    assert np.allclose(matrix(frame["vector"]), matrix(again["vector"]), atol=1e-6)
    # one distinctive attribute: its own direction, whatever the temperature
    unit = values[0] / np.linalg.norm(values[0], axis=1, keepdims=True)
    assert np.allclose(unit_vector(frame, "x", "distinctive"), unit, atol=1e-6)
    found = report["groups"]["x"]
    assert found["distinctive"]["n_eff"] == 1 and found["all"]["n_eff"] == pytest.approx(2, rel=1e-3)
    assert found["all"]["heaviest"][0]["attribute_id"] == "a0"
    # x leads a0 by .35 over the mean, y leads a1 by as much: opposite centred profiles
    assert report["groups"]["y"]["all"]["heaviest"][0]["attribute_id"] == "a1"


def test_controls() -> None:
    rng = np.random.default_rng(1)
    profile = groups([[0.9, 0.1, 0.5, 0.4], [0.2, 0.8, 0.5, 0.4], [0.3, 0.3, 0.9, 0.1]], [["a0"], ["a1"], []])
    frame, report = build_steering(
        profile, activations(rng.standard_normal((4, 2, 64))), IDS, SteeringSettings(n_eff=2), 1
    )
    methods = frame.group_by("group").agg(pl.col("method").unique().sort()).sort("group")["method"].to_list()
    full = ["all", "distinctive", "other_group_all", "other_group_distinctive", "random", "shuffled_all"]
    assert methods[0] == methods[1] == [*full, "shuffled_distinctive"]
    assert methods[2] == ["all", "other_group_all", "random", "shuffled_all"], "no silent fallback for z"
    assert np.array_equal(unit_vector(frame, "x", "other_group_all"), unit_vector(frame, "y", "all"))
    assert np.array_equal(unit_vector(frame, "z", "other_group_all"), unit_vector(frame, "x", "all"))
    assert np.array_equal(unit_vector(frame, "y", "other_group_distinctive"), unit_vector(frame, "x", "distinctive"))
    assert abs((unit_vector(frame, "x", "random") * unit_vector(frame, "x", "all")).sum(axis=1)).max() < 0.5
    assert {(c["method"], c["group"], c["other"]) for c in report["cosines"]} == {
        ("all", "x", "y"), ("all", "x", "z"), ("all", "y", "z"), ("distinctive", "x", "y")
    }  # fmt: skip
    assert usable_methods(frame, ["x", "y", "z"], ("all", "distinctive")) == ["all"]
    assert usable_methods(frame, ["x", "y"], ("all", "distinctive")) == ["all", "distinctive"]
    with pytest.raises(InputError, match="group 'z' has no distinctive vector"):
        usable_methods(frame, ["x", "y", "z"], ("distinctive",))
    assert [resolve_method(m, "all") for m in ("chosen", "random", "shuffled", "other_group")] == [
        "all", "random", "shuffled_all", "other_group_all"
    ]  # fmt: skip


def test_alike_vectors_are_warned_of_and_vanishing_ones_refused() -> None:
    values = np.random.default_rng(2).standard_normal((4, 1, 8))
    profile = groups([[0.51, 0.5, 0.5, 0.5], [0.5, 0.51, 0.5, 0.5]], [["a0"], ["a1"]])
    _, report = build_steering(profile, activations(values), IDS, SteeringSettings(n_eff=3.999), 1)
    assert any("x and y" in w for w in report["warnings"])
    values[1] = 0
    with pytest.raises(InputError, match="attribute 'a1': its activation vanishes at layer 0"):
        build_steering(profile, activations(values), IDS, SteeringSettings(), 1)
    with pytest.raises(InputError, match="'a3' has no activation"):
        build_steering(profile, activations(values[:3]), IDS, SteeringSettings(), 1)


def test_scaled_vectors_have_the_norm_of_their_layer() -> None:
    values = np.random.default_rng(2).standard_normal((4, 2, 8))
    profile = groups([[1, 0, 0, 0], [0, 1, 0, 0]], [["a0"], ["a1"]])
    frame, _ = build_steering(profile, activations(values), IDS, SteeringSettings(n_eff=2), 1)
    scaled = scaled_vectors(frame.reverse(), [2.0, 5.0])
    assert np.allclose(scaled["all/x"].norm(dim=1).numpy(), [2, 5])
    assert np.allclose(scaled["all/x"][1].numpy() / 5, unit_vector(frame, "x", "all")[1], atol=1e-6)
    with pytest.raises(InputError, match="2 layers, but 3 residual norms"):
        scaled_vectors(frame, [1.0, 1.0, 1.0])


# the sweep

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


def test_a_vector_that_is_known_to_work_is_chosen(tmp_path: Path) -> None:
    """Each group has a word of its own; `distinctive` points at that word's output row, `all` at another word's."""
    tokenizer = train_tokenizer([" ".join(f"w{a}{b}" for a in "abcde" for b in "abcdefghij")], ScratchTokenizer())
    model = tiny("llama", seed=5)
    with torch.no_grad():
        # after the final norm, a residual stream along a word's row then decides for that word
        model.get_output_embeddings().weight.mul_(30)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(tmp_path / "lm")
    tokenizer.save_pretrained(tmp_path / "lm")
    own = {"x": "waa", "y": "wbb"}
    rows = model.get_output_embeddings().weight.detach()
    keys = [(g, m) for g in own for m in ("all", "distinctive")]
    toward = {("x", "distinctive"): "waa", ("y", "distinctive"): "wbb", ("x", "all"): "wcc", ("y", "all"): "wdd"}
    unit = torch.stack([rows[tokenizer.convert_tokens_to_ids("▁" + toward[key])] for key in keys for _ in range(3)])
    frame = pl.DataFrame(
        {
            "group": [g for g, _ in keys for _ in range(3)],
            "method": [m for _, m in keys for _ in range(3)],
            "layer": pl.Series([0, 1, 2] * 4, dtype=pl.Int32),
            "vector": vectors((unit / unit.norm(dim=1, keepdim=True)).numpy(), "vector"),
        }
    )
    questions = pl.DataFrame(
        [{"question_id": f"{g}{i}", "question": f"wa{'abcd'[i]}", "group": g} for g in own for i in range(4)]
    )

    def nearest(texts: Sequence[str]) -> list[str]:
        return [
            max(("none", *own), key=lambda g, t=text: t.split().count(own.get(g, "")) + (g == "none")) for text in texts
        ]

    backend = TransformersBackend(tmp_path / "lm", 2000, device="cpu")
    generation = GenerationSettings(max_new_tokens=8, batch_tokens=2000)
    file = tmp_path / "v.safetensors"
    trials = Trials(backend, backend, questions, frame, Prompts(), generation, nearest, "last", file, 1)
    assert trials.base.hit_rate == 0 and len(trials.norms) == 3 and min(trials.norms) > 0
    sweep = SweepSettings(alphas=(0.0, 0.5, 40.0), max_log_perplexity_change=1e9, max_repetition=1.0, band=None)
    idle = trials.evaluate([Setting("all", (2,), 0.0)])[0]
    assert idle == trials.base, "strength 0 is the identity"
    found = search(trials.evaluate, ["all", "distinctive"], [(0,), (2,)], sweep, trials.base)
    chosen = choose(found, trials.base, sweep)
    assert (chosen.method, chosen.alpha) == ("distinctive", 40.0)
    assert found[chosen].correct_change_rate == 1 and found[Setting("all", chosen.layers, 40.0)].hit_rate == 0
    assert found[chosen].repetition > 0.5, "so strong a vector says one word only,"
    strict = SweepSettings(alphas=(0.5, 40.0), band=None, max_log_perplexity_change=1e9)
    assert choose(found, trials.base, strict).alpha == 0.5, "which the guard is for"
