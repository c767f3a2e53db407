"""The benchmarks: they compare equal work, or refuse; their arithmetic; their rows."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import generation
import labelling
from contenders import (
    CROSS,
    ENGINE,
    ENGINE_BF16,
    PIPELINE,
    PIPELINE_MIXED,
    STUDENT,
    STUDENT_BF16,
    K,
    check_agreement,
    check_spread,
)
from engines import answers_of, generate_answers, groups_of, peer_answers
from labelling import run_benchmark
from language_models import SHAPES as LANGUAGE_SHAPES
from language_models import Steered, Work, build_language_model, make_vectors
from measuring import ROOT, Spent, Turns, alternate, computed_tokens
from reporting import NOTES_ANSWERS, extrapolated_rows, student_hours
from sociolect.common.errors import InputError
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.settings.sfam import DistillationSettings
from workload import LENGTHS, SHAPES, Shape, make_block, pair_flop, read_block, real_cost

CPU = torch.device("cpu")
TINY = ["--shape", "tiny", "--answers", "3", "--attributes", "4", "--student-answers", "3", "--rounds", "2"]


@pytest.fixture(autouse=True)
def cheap_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelling, "matmul_peak", lambda precision, device: 1e9)


def run_tiny(*more: str) -> list[Any]:
    threads = torch.get_num_threads()
    try:
        return run_benchmark([*TINY, "--device", "cpu", "--threads", "1", "--without", "sentence-transformers", *more])
    finally:
        torch.set_num_threads(threads)


def test_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    run_tiny("--layers", "2", "--tokens-per-batch", "700", "--json", str(file))
    rows = json.loads(file.read_text())
    assert all(set(row) == {"name", "value", "unit", "baseline", "ratio", "conditions"} for row in rows)
    found = {(row["name"], row["baseline"]): row for row in rows}
    speed = found[f"{ENGINE}: speed", None]
    assert speed["conditions"]["min"] <= speed["value"] <= speed["conditions"]["max"]
    assert speed["conditions"]["pairs"] == "3 answers x 4 attributes" and speed["conditions"]["layers"] == "2 of 3"
    assert found[f"{ENGINE}: speed", PIPELINE]["ratio"] > 0
    # batches of 12 pairs: one is padded from the mean to the longest
    lengths = make_block(3, 4, 1, 512)[1].lengths
    padding = 1 - lengths.mean() / lengths.max()
    assert found[f"{PIPELINE}: padding", None]["value"] == pytest.approx(padding)
    assert found[f"{PIPELINE_MIXED}: padding", None]["value"] == pytest.approx(padding)
    assert 0 <= found[f"{ENGINE}: padding", None]["value"] < padding
    assert found[f"{ENGINE}: score difference", None]["value"] <= 1e-4
    assert found[f"{ENGINE_BF16}: score difference", None]["value"] <= 5e-3
    left_out = found[f"{CROSS}: speed", None]
    assert left_out["value"] is None and "--without" in left_out["conditions"]["note"]
    assert found[f"target: {ENGINE}", CROSS]["conditions"]["met"] is None
    target = found[f"target: {STUDENT}", PIPELINE]
    assert target["value"] == 1000 and target["conditions"]["met"] == (target["ratio"] >= 1000)
    # two thirds of the layers were measured
    notes = found[f"the notes' labelling: {ENGINE}", None]
    shape = replace(SHAPES["tiny"], layers=2)
    longer = real_cost(shape, 512, 11) / np.mean([pair_flop(shape, n) for n in lengths.ravel()])
    assert notes["value"] == pytest.approx(1.5 * longer * 102180 * 768 / speed["value"] / 3600)
    assert "extrapolated from" in notes["conditions"]["note"] and "2 of 3 layers" in notes["conditions"]["note"]


@pytest.mark.parametrize("wrong", [lambda s: s[:, ::-1], lambda s: s[::-1], lambda s: s + 2e-4, lambda s: s[:2]])
def test_other_work_is_not_compared(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    build = labelling.engine_scores

    def perturbed(*args: Any) -> Any:
        run = build(*args)
        return lambda texts: wrong(run(texts))

    monkeypatch.setattr(labelling, "engine_scores", perturbed)
    with pytest.raises(InputError, match=rf"{ENGINE}.*not the same pairs|{ENGINE}.*does not compute the same"):
        run_tiny()


def test_agreement_has_a_tolerance_per_precision_and_needs_a_spread() -> None:
    scores = np.array([[0.2, 0.4], [0.6, 0.9]], dtype=np.float32)
    assert check_agreement(scores, scores + 4e-3, "x", "bf16") == pytest.approx(4e-3, rel=1e-3)
    with pytest.raises(InputError, match="answer 1, attribute 0"):
        check_agreement(scores, scores + np.array([[0, 0], [6e-3, 0]]), "x", "bf16")
    with pytest.raises(InputError, match="inf off"):
        check_agreement(scores, scores * np.nan, "x", "fp32")
    check_spread(scores)
    for alike in (scores[:, :1].repeat(3, axis=1), scores[:1].repeat(3, axis=0)):
        with pytest.raises(InputError, match="alike"):
            check_spread(alike)


def test_without_sentence_transformers_the_default_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelling.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="make bench"):
        run_benchmark(TINY)


def test_flop_of_a_pair_by_hand() -> None:
    # a block, per token: 4 x 4x4 of attention, 2 x 4x8 of the net, 4 products of width 4 with 3 tokens
    per_token = 4 * 16 + 2 * 32 + 4 * 4 * 3
    assert pair_flop(Shape(hidden=4, layers=2, heads=2, intermediate=8), length=3) == 2 * (2 * 3 * per_token + 4 * 4)


def test_extrapolation_by_hand() -> None:
    assert NOTES_ANSWERS == 31500 + 66000 + 4680 and K == 768
    settings = DistillationSettings(n_answers=4000, n_heldout=600, max_epochs=10)
    steps = student_hours(teacher=5200 * 768 / 7200, train=35, student=102180 / 1800, settings=settings)
    # 10 epochs of 3 passes over 4000 answers and one over 600: 126000 passes
    assert steps == pytest.approx({"teacher": 2.0, "training": 1.0, "student": 0.5})
    turns = {name: Turns([speed], 1.0) for name, speed in ((PIPELINE, 1.0), (ENGINE, 2.0), (ENGINE_BF16, 4.0))}
    turns |= {name: Turns([K * 70.0], 1.0) for name in (STUDENT, STUDENT_BF16)}
    shape = Shape(4, 2, 2, 8)
    rows = {row.name.split(": ")[1]: row.value for row in extrapolated_rows(turns, shape, shape, {})}
    assert rows[PIPELINE] == pytest.approx(102180 * 768 / 3600) and rows[ENGINE] == pytest.approx(rows[PIPELINE] / 2)
    # the faster precision teaches
    student = sum(student_hours(4.0, 70.0, 70.0).values())
    assert rows["student, teacher and training included"] == pytest.approx(student)


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


def test_texts_have_the_real_lengths() -> None:
    tokenizer, block = make_block(100, 8, 5, 512)
    # the first attribute has 6 tokens, and there are 3 special ones
    assert np.median(block.lengths[:, 0] - 9) == pytest.approx(LENGTHS[10], abs=3) and block.lengths.max() == 512
    ids = tokenizer("The author uses X.", block.answers[50])["input_ids"]
    assert ids[0] == tokenizer.cls_token_id and ids.count(tokenizer.sep_token_id) == 2
    assert set(make_block(2, 8, 2, 512, tokens=256)[1].lengths.ravel()) == {256}


def test_texts_of_a_table_are_cut_so_that_nobody_cuts(tmp_path: Path) -> None:
    file = tmp_path / "texts.parquet"
    pl.DataFrame({"text": ["One, two.  Three four " * n for n in (1, 5, 60)] + [" "]}).write_parquet(file)
    _, block = read_block(file, 3, 4, 2, 64, vocabulary=300)
    assert block.lengths.max() <= 64 and block.answers[0] == "One, two.  Three four "
    pl.DataFrame({"other": ["x"]}).write_parquet(file)
    with pytest.raises(InputError, match="'answer' or 'text'"):
        read_block(file, 3, 4, 2, 64, vocabulary=300)


def run_generation(monkeypatch: pytest.MonkeyPatch, *more: str) -> list[Any]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    sizes = ["--requests", "33", "--prompt", "3", "9", "--new-tokens", "2", "--batch-size", "16", "--rounds", "3"]
    flags = ["--shape", "tiny", "--dtype", "float32", "--device", "cpu", "--threads", "1", *sizes, *more]
    try:
        return generation.run_benchmark(flags)
    finally:
        torch.set_num_threads(threads)


def test_generation_without_vllm_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generation.importlib.util, "find_spec", lambda name: None)
    file = tmp_path / "rows.json"
    run_generation(monkeypatch, "--json", str(file))
    rows = json.loads(file.read_text())
    assert all(set(row) == {"name", "value", "unit", "baseline", "ratio", "conditions"} for row in rows)
    found = {(row["name"], row["baseline"]): row for row in rows}
    mixed = f"{generation.TRANSFORMERS}, {generation.MIXED}"
    speed = found[f"{mixed}: speed", None]
    assert speed["conditions"]["min"] <= speed["value"] <= speed["conditions"]["max"]
    assert speed["conditions"]["vectors"] == 32 and speed["conditions"]["rounds"] == 3
    assert found[f"{generation.PEER}: speed", mixed]["ratio"] > 0
    # in float32 all contenders say the same
    assert {row["conditions"].get("same_first_token", 1.0) for row in rows} == {1.0}
    missing = found[f"{generation.VLLM}, {generation.MIXED}: speed", None]
    assert missing["value"] is None and missing["conditions"]["note"] == generation.ALONE
    assert {row["conditions"]["met"] for row in rows if row["name"].startswith("target: ")} == {None}
    assert capsys.readouterr().out.count(generation.ALONE) == 1


def test_ratios_of_generation_are_paired() -> None:
    mixed, plain = f"{generation.VLLM}, {generation.MIXED}", generation.PLAIN
    turns = {mixed: Turns([9.0, 2.0, 4.0], 1.0), plain: Turns([10.0, 2.0, 5.0], 1.0)}
    contenders = {name: generation.contenders_of(quick=True)[name] for name in turns}
    rows = generation.report_rows(contenders, turns, {}, dict.fromkeys(turns, 1.0), {}, {})
    found = {(row.name, row.baseline): row for row in rows}
    assert found[f"{mixed}: speed", plain].ratio == pytest.approx(0.9)
    assert found[f"{mixed}: speed", plain].value == 4.0
    target = found[f"target: {mixed}", plain]
    assert target.ratio == pytest.approx(0.9) and target.conditions["met"] == (target.ratio >= 0.9)
    assert {name for t in generation.TARGETS for name in t[:2]} <= generation.contenders_of(quick=False).keys()


def test_all_manners_of_steering_say_the_same(tmp_path: Path) -> None:
    shape = LANGUAGE_SHAPES["tiny"]
    build_language_model(shape, "float32", 64, CPU, tmp_path / "model")
    backend = TransformersBackend(tmp_path / "model", 64, device="cpu")
    make_vectors(backend.model, tmp_path / "vectors.safetensors")
    work = Work(str(tmp_path / "vectors.safetensors"), shape.layers, shape.vocabulary, 12, (3, 9), 5, 0.0)
    assert work.requests(1, Steered()) == work.requests(1, Steered()) and work.context == 14
    assert work.requests(1, Steered())[0].prompt_token_ids != work.requests(2, Steered())[0].prompt_token_ids
    said = {}
    for steered in (Steered(), Steered(3), Steered(3, everywhere=True)):
        requests = work.requests(1, steered)
        assert len(groups_of(requests)) == max(1, steered.vectors)
        said[steered] = answers_of(backend)(requests)
        manners = (answers_of(backend, grouped=True), peer_answers(backend.model, 2))
        for manner in manners if steered.vectors else (generate_answers(backend.model, 5),):
            assert {name: tuple(ids) for name, ids in manner(requests).items()} == said[steered]
    assert len(set(map(str, said.values()))) == 3


def test_generation_of_other_work_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {"a": 1, "b": 2}
    assert generation.check_answers("x", {"a": [1, 5], "b": [3, 5]}, expected, 2) == 0.5
    with pytest.raises(InputError, match="not 2 answers of 2 tokens"):
        generation.check_answers("x", {"a": [1, 5], "b": [2]}, expected, 2)
    with pytest.raises(InputError, match="does not compute the same"):
        generation.check_answers("x", {"a": [2, 5], "b": [1, 5]}, expected, 2)
    monkeypatch.setattr(generation, "peer_answers", generation.generate_answers)
    with pytest.raises(InputError, match=rf"{generation.PEER}.*does not compute the same"):
        run_generation(monkeypatch, "--without", "vllm")


def test_engines_share_a_gpu_or_take_turns() -> None:
    gib = 2**30
    share, alive = generation.memory_share(3 * gib, 5, 80 * gib)
    assert alive and share * 5 * 80 <= 80 - 3 - 8
    share, alive = generation.memory_share(16 * gib, 5, 80 * gib)
    assert not alive and 16 < share * 80 <= 80 - 16 - 8
    with pytest.raises(InputError, match="do not fit"):
        generation.memory_share(16 * gib, 5, 24 * gib)


def test_pins_of_the_benchmarks_leave_those_of_the_core_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def pins(name: str) -> set[str]:
        lines = (ROOT / "envs" / name).read_text(encoding="utf-8").splitlines()
        return {line for line in lines if not line.startswith("#")}

    own = pins("benchmarks.txt")
    assert set(project["optional-dependencies"]["benchmarks"]) <= own
    assert not {pin.split("==")[0] for pin in own} & {pin.split("==")[0] for pin in pins("core.txt")}
