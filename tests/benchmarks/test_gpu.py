"""The GPU's script as a user runs it, on a CPU with tiny shapes; what its checks find; what it carries."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import torch

import gpu
import gpu_labeling
import gpu_packages
from conftest import ROOT
from gpu_part import Part, difference
from gpu_table import BEGIN, END, table_of, write_docs
from measuring import Row, write_rows
from sociolect.common.errors import InputError

CPU = torch.device("cpu")


def run_script(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1", **variables}
    command = ["bash", str(ROOT / "benchmarks/gpu.sh"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_tiny_run_has_all_parts_and_checks_that_hold(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    done = run_script("--tiny", "--json", str(file), PACKAGES=str(tmp_path / "none"))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [Row(**row) for row in json.loads(file.read_text())]
    found = {row.name: row for row in rows}
    assert {row.conditions["part"] for row in rows} == set(gpu.TINY)
    assert all(found[f"part: {part}"].conditions["status"] == "done" for part in gpu.TINY)
    checks = [row for row in rows if "met" in row.conditions]
    assert len(checks) >= 11 and all(row.conditions["met"] for row in checks)
    assert found["this engine, fp32: score difference"].value < 1e-4  # type: ignore[operator]
    assert found["this engine, fp32: speed"].value > 0  # type: ignore[operator]
    for kernel in ("flashdeberta", "disentangled-flash"):
        row = found[f"this engine, bf16, {kernel}: speed"]
        assert row.value is None and row.conditions["note"].startswith("skipped: ")
    steered = next(
        row
        for row in rows
        if row.name == "transformers backend, 32 vectors: speed" and row.baseline == "transformers backend"
    )
    assert steered.ratio is not None and steered.ratio > 0
    table = table_of(rows)
    assert all(f"**{part}**" in table for part in gpu.TINY if part != "machine")


def test_a_wrong_engine_fails_its_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    right = gpu_labeling.plain_engine

    def sabotaged(model: Any, precision: str) -> Any:
        engine = right(model, precision)
        for block in engine.blocks:
            block["p2c"] = block["p2c"].flip(1)
        return engine

    monkeypatch.setattr(gpu_labeling, "plain_engine", sabotaged)
    rows = gpu.run_part("labeling, correctness, base", True, CPU, tmp_path / "rows.json")
    met = {row.name: row.conditions["met"] for row in rows if "met" in row.conditions}
    assert not met["this engine, fp32: score difference"] and not met["this engine, bf16: score difference"]
    assert met["this engine with its distances turned around: score difference"]
    assert rows[-1].conditions["status"] == "failed" and "this engine, fp32" in rows[-1].conditions["note"]
    assert json.loads((tmp_path / "rows.json").read_text())[-1]["name"] == rows[-1].name


def test_one_score_that_is_off_or_no_number_is_found() -> None:
    reference = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    assert difference(reference, torch.tensor([0.1, 0.52, 0.9])) == pytest.approx(0.02)
    assert difference(reference, torch.tensor([0.1, float("nan"), 0.9])) == float("inf")
    with pytest.raises(InputError, match="not the same pairs"):
        difference(reference, reference[:2])
    part = Part("p", CPU, True, 9)
    assert part.check("a", 0.02, 0.03, "u") and not part.check("b", 0.04, 0.03, "u")
    assert not part.check("c", 0.02, 0.03, "u", at_least=True) and not part.check("d", float("inf"), 1.0, "u")
    assert [line.split(" is ")[0] for line in part.wrong] == ["b", "c", "d"]


def test_a_part_that_fails_or_is_ended_leaves_its_rows_and_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def failing(part: Part) -> None:
        part.add(Row("before", 1.0, "u"))
        raise RuntimeError("out of order\nand more")

    monkeypatch.setitem(gpu.PARTS, "machine", gpu.Plan(failing, 9))
    rows = gpu.run_part("machine", True, CPU, tmp_path / "rows.json")
    assert [row.name for row in rows] == ["before", "part: machine"]
    assert rows[-1].conditions["note"] == "RuntimeError: out of order"

    flags = argparse.Namespace(device="cpu", tiny=True)
    monkeypatch.setattr(gpu.subprocess, "run", _killed)
    rows = gpu.run_apart("machine", flags, 5, tmp_path / "other.json")
    assert [row.name for row in rows] == ["kept", "part: machine"]
    assert rows[-1].conditions["status"] == "failed" and rows[-1].conditions["note"] == "ended after 5 seconds"


def _killed(command: list[str], timeout: float) -> None:
    write_rows([Row("kept", 1.0, "u")], Path(command[command.index("--json") + 1]))
    raise subprocess.TimeoutExpired(command, timeout)


def test_parts_run_in_processes_of_their_own(tmp_path: Path) -> None:
    flags = argparse.Namespace(device="cpu", tiny=True)
    rows = gpu.run_apart("machine", flags, 240, tmp_path / "rows.json")
    assert rows[-1].name == "part: machine" and rows[-1].conditions["status"] == "done"


def test_without_time_a_part_is_skipped_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    began = time.monotonic()
    with pytest.raises(SystemExit, match="no time left"):
        gpu.main(["--tiny", "--seconds", "1", "--json", str(file)])
    assert time.monotonic() - began < 5
    assert [row["value"] for row in json.loads(file.read_text())] == [None] * len(gpu.TINY)


def test_a_machine_without_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no GPU here"):
        gpu.main([])


def test_tables_go_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    where = {"part": "labeling, base", "gpu": "G100", "torch": "2", "min": 9.0, "max": 11.0, "shape": "a shape"}
    rows = [
        Row("engine: speed", 10.0, "pairs/s", conditions=where),
        Row("engine: speed", 10.0, "pairs/s", "other", 2.5, where),
        Row("engine: matmul share", 0.25, "share", conditions=where),
        Row("kernel: speed", None, "pairs/s", conditions={**where, "note": "skipped: none"}),
        Row("engine: score difference", 0.5, "d", conditions={**where, "allowed": 0.1, "met": False}),
    ]
    write_docs(rows, page)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| engine | 10 | 9 - 11 | 2.50 | 25.0 % |" in text
    assert "| kernel | skipped: none | | | |" in text
    assert "| engine: score difference | 0.5 | ≤ 0.1 | **not met** |" in text
    write_docs([replace(row, value=None) for row in rows[3:4]], page)
    assert page.read_text().count(BEGIN) == 1
    with pytest.raises(InputError, match="no rows"):
        write_docs([], page)
    assert BEGIN in (ROOT / "docs/benchmarks.md").read_text()


def test_what_is_carried_is_pinned_small_and_only_what_is_missing(tmp_path: Path) -> None:
    pins = gpu_packages.pins()
    assert {"polars", "pydantic", "pytorch-metric-learning", "flashdeberta"} <= {pin.split("==")[0] for pin in pins}
    for name, top in (("numpy-1-py3-none-any", "numpy"), ("no_such-2-py3-none-any", "no_such_package")):
        with ZipFile(tmp_path / f"{name}.whl", "w") as wheel:
            wheel.writestr(f"{top}/__init__.py", "x" * 1000)
    assert gpu_packages.missing(tmp_path) == ["no_such==2"]
    assert gpu_packages.check_size(tmp_path) < 0.01
    with pytest.raises(SystemExit, match=r"are allowed; the largest is no_such-2-py3-none-any\.whl"):
        gpu_packages.check_size(tmp_path, most=0.0001)
