"""The benchmark of generation: it compares equal work, or refuses; its rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import generation
from measuring import Turns
from sociolect.common.errors import InputError


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
    target: Any = found[f"target: {mixed}", plain]
    assert target.ratio == pytest.approx(0.9) and target.conditions["met"] == (target.ratio >= 0.9)
    assert {name for t in generation.TARGETS for name in t[:2]} <= generation.contenders_of(quick=False).keys()


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
