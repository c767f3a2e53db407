"""The benchmark of tagging: it compares equal work, or refuses; its rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import tagging
from conftest import skip_here
from sociolect.common.errors import InputError
from sociolect.settings.syntax import is_installed
from sociolect.syntax.tagging import open_tagger
from tagging import OURS, PIPE, check_same, made_up_texts, run_benchmark

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def has_spacy() -> None:
    if not is_installed("en_core_web_sm"):
        skip_here("spaCy is not installed: make setup-syntax")


def test_rows(tmp_path: Path) -> None:
    run_benchmark(["--answers", "3", "--rounds", "2", "--json", str(tmp_path / "rows.json")])
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert all(set(row) == {"name", "value", "unit", "baseline", "ratio", "conditions"} for row in rows)
    found = {(row["name"], row["baseline"]): row for row in rows}
    speed = found[f"{OURS}: speed", None]
    assert speed["unit"] == "tokens/s" and speed["conditions"]["min"] <= speed["value"] <= speed["conditions"]["max"]
    assert found[f"{OURS}: speed", PIPE]["ratio"] > 0
    target = found[f"target: {OURS}", PIPE]
    assert target["conditions"]["met"] == (target["ratio"] >= target["value"])
    assert torch.get_num_threads() == 1


def test_unequal_work_is_refused(tmp_path: Path) -> None:
    import spacy

    texts, tagger = made_up_texts(3), open_tagger("en_core_web_sm")
    pipeline = spacy.load(tagging.TAGGERS["en_core_web_sm"])
    words = sum(len(text.split()) for text in texts)
    assert check_same(pipeline, tagger, texts) >= words
    with pytest.raises(InputError, match="differ in pos; nothing to compare"):
        check_same(pipeline, replace(tagger, max_chars=20), texts)
    with pytest.raises(InputError, match="no such file"):
        run_benchmark(["--texts", str(tmp_path / "none.parquet")])
