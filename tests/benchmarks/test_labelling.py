"""The benchmark of labeling: it compares equal work, or refuses; its rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import labelling
from contenders import CROSS, ENGINE, ENGINE_BF16, PIPELINE, PIPELINE_MIXED, STUDENT
from labelling import run_benchmark
from sociolect.common.errors import InputError
from workload import SHAPES, make_block, pair_flop, real_cost

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
    study = found[f"labeling for a study: {ENGINE}", None]
    shape = replace(SHAPES["tiny"], layers=2)
    longer = real_cost(shape, 512, 11) / np.mean([pair_flop(shape, n) for n in lengths.ravel()])
    assert study["value"] == pytest.approx(1.5 * longer * 102180 * 768 / speed["value"] / 3600)
    assert "extrapolated from" in study["conditions"]["note"] and "2 of 3 layers" in study["conditions"]["note"]


@pytest.mark.parametrize("wrong", [lambda s: s[:, ::-1], lambda s: s[::-1], lambda s: s + 2e-4, lambda s: s[:2]])
def test_other_work_is_not_compared(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    build = labelling.engine_scores

    def perturbed(*args: Any) -> Any:
        run = build(*args)
        return lambda texts: wrong(run(texts))

    monkeypatch.setattr(labelling, "engine_scores", perturbed)
    with pytest.raises(InputError, match=rf"{ENGINE}.*not the same pairs|{ENGINE}.*does not compute the same"):
        run_tiny()


def test_without_sentence_transformers_the_default_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelling.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="make bench"):
        run_benchmark(TINY)
