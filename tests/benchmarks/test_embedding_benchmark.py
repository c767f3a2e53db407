"""The benchmark of training the net: its rows, and that both contenders learn the made-up groups."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedding import NET, PEER, run_benchmark

pytestmark = pytest.mark.usefixtures("one_thread")


def test_rows(tmp_path: Path) -> None:
    small = ["--shrink", "60", "--attributes", "256", "--epochs", "8", "--rounds", "1"]
    run_benchmark([*small, "--json", str(tmp_path / "rows.json")])
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [(row["name"], row["conditions"]["answers"]) for row in rows] == [
        (f"{PEER}: training", 522), (f"{NET}: training", 522), (f"{PEER}: training", 1100), (f"{NET}: training", 1100),
    ]  # fmt: skip
    assert all(row["value"] > 0 and row["unit"] == "s" for row in rows)
    for row in rows:
        if row["name"].startswith(NET):
            assert row["baseline"] == PEER and row["ratio"] > 0 and row["conditions"]["met"] == (row["value"] <= 60)
        # twice chance, or more
        assert row["conditions"]["val_macro_accuracy"] > 0.2
