"""Pins and locks agree."""

from __future__ import annotations

import tomllib

from conftest import ROOT


def test_direct_pins_are_in_the_lock() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = set((ROOT / "envs/core.txt").read_text().split())
    assert {p.split("[")[0] for p in project["dependencies"]} <= lock
    assert set(project["optional-dependencies"]["dev"]) <= set((ROOT / "envs/dev.txt").read_text().split())


def test_pins_of_the_benchmarks_leave_those_of_the_core_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def pins(name: str) -> set[str]:
        lines = (ROOT / "envs" / name).read_text(encoding="utf-8").splitlines()
        return {line for line in lines if not line.startswith("#")}

    own = pins("benchmarks.txt")
    assert set(project["optional-dependencies"]["benchmarks"]) <= own
    assert not {pin.split("==")[0] for pin in own} & {pin.split("==")[0] for pin in pins("core.txt")}
