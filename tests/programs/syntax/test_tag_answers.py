"""tag_answers as a rule runs it, and describe_style with what it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from conftest import ROOT, skip_here
from made_tables import make, samples
from sociolect.common.artifacts import read_provenance, read_table, write_table
from sociolect.common.schemas import SAMPLES, SENTENCES, TAGGED
from sociolect.settings.syntax import is_installed
from sociolect.stylometry.stylometry import SYNTAX_ATTRIBUTES
from tagged_by_hand import BREAD, HOPE, tagged

SCRIPTS = ROOT / "workflow" / "scripts"
SETTINGS = {"tagger": "en_core_web_sm", "buckets": 3}


def run(program: str, settings: dict[str, object], *flags: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / f"{program}.py"), *map(str, flags), "--settings", json.dumps(settings)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Twelve answers, one of them without a word."""
    frame = samples(make("x", "x", "train", 6) + make("y", "y", "val", 6), "The dogs were fed by {}.")
    frame = frame.with_columns(answer=pl.when(pl.col("answer_id") == "y5").then(pl.lit(" ")).otherwise("answer"))
    write_table(frame, tmp_path / "single.parquet", SAMPLES)
    return tmp_path / "single.parquet"


def test_answers_are_tagged_and_a_second_run_tags_none(table: Path, tmp_path: Path) -> None:
    if not is_installed("en_core_web_sm"):
        skip_here("spaCy is not installed: make setup-syntax")
    flags = ("--answers", table, "--id-column", "answer_id", "--text-column", "answer", "--cache", tmp_path / "cache")
    found = []
    for name, said in (("one", "tagged 12 of 12"), ("two", "tagged 0 of 12")):
        done = run("tag_answers", SETTINGS, *flags, "--tagged", tmp_path / f"{name}.parquet")
        assert done.returncode == 0 and said in done.stderr, done.stderr
        found.append(read_table(tmp_path / f"{name}.parquet", TAGGED))
    assert found[0].equals(found[1]) and sorted(found[0]["answer_id"]) == [
        *(f"x{i}" for i in range(6)),
        *(f"y{i}" for i in range(6)),
    ]
    noised = dict(found[0].select("answer_id", "noised").iter_rows())
    assert noised["x0"][:5] == ["the", "N", "were", "V", "by"] and noised["y5"] == []
    assert read_provenance(tmp_path / "one.parquet")["n_empty"] == 1
    done = run(
        "tag_answers", SETTINGS, *flags[:4], "--text-column", "text", *flags[6:], "--tagged", tmp_path / "three.parquet"
    )
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith("error: ")
    assert "column 'text' is missing" in done.stderr.splitlines()[-1]


def test_describe_style_says_attributes_of_syntax_where_answers_are_tagged(table: Path, tmp_path: Path) -> None:
    ids = read_table(table, SAMPLES)["answer_id"]
    by_hand = tagged([[BREAD] if i == "x3" else [] if i == "y5" else [HOPE] for i in ids]).with_columns(answer_id=ids)
    write_table(by_hand.reverse(), tmp_path / "tagged.parquet", TAGGED)
    write_table(by_hand[:-1], tmp_path / "short.parquet", TAGGED)
    flags: list[object] = [
        "--samples",
        table,
        "--splits",
        "single",
        "--cache",
        tmp_path / "cache",
        "--dtype",
        "float32",
    ]
    flags += ["--backend", '{"backend": "transformers"}', "--prompt-style", "auto", "--prompt-date", "2025-01-01"]
    flags += ["--server", "none"]
    settings: dict[str, object] = {"describer": "stylometry", "n_answers": 6, "n_heldout": 6}

    def said(name: str, *more: object) -> dict[str, set[str]]:
        done = run("describe_style", settings, *flags, "--sentences", tmp_path / f"{name}.parquet", *more)
        assert done.returncode == 0, done.stderr
        table = read_table(tmp_path / f"{name}.parquet", SENTENCES).group_by("answer_id").agg("attribute")
        return {answer: {a for a in names if a is not None} for answer, names in table.iter_rows()}

    plain, both = said("plain"), said("both", "--tagged", tmp_path / "tagged.parquet")
    names = {attribute.name for attribute in SYNTAX_ATTRIBUTES}
    assert {answer: found - names for answer, found in both.items()} == plain
    # the bread is eaten by someone in x3 alone
    assert [a for a in sorted(both) if "passive clauses with an agent" in both[a]] == ["x3"]
    assert "stranded prepositions" not in both["x3"] and both["y5"] == set()
    done = run(
        "describe_style",
        settings,
        *flags,
        "--sentences",
        tmp_path / "s.parquet",
        "--tagged",
        tmp_path / "short.parquet",
    )
    assert done.returncode == 1 and "answer 'y5' is not tagged" in done.stderr.splitlines()[-1]
