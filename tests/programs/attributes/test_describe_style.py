"""describe_style and build_catalogue, from samples to a catalogue."""

from __future__ import annotations

import json
import logging
import runpy
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from conftest import ROOT
from made_tables import make, samples
from sociolect.common.artifacts import read_table, write_table
from sociolect.common.schemas import CATALOGUE, SAMPLES, SENTENCES
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchTokenizer
from sociolect.stylometry.stylometry import describe, fit_thresholds
from tiny_models import save_llama

SCRIPTS = ROOT / "workflow" / "scripts"


class Programs:
    """Runs a program as the shell would, but in this process, which has imported torch already."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, name: str, settings: dict[str, Any], *flags: object) -> tuple[int, str]:
        """Exit status and what was printed."""
        file = SCRIPTS / f"{name}.py"
        self.monkeypatch.setattr(sys, "argv", [str(file), *map(str, flags), "--settings", json.dumps(settings)])
        handlers, level = logging.root.handlers[:], logging.root.level
        try:
            runpy.run_path(str(file), run_name="__main__")
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            logging.root.handlers[:] = handlers
            logging.root.setLevel(level)
        return status, self.capsys.readouterr().err


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Programs:
    return Programs(monkeypatch, capsys)


def test_programs_end_to_end(tmp_path: Path, program: Programs) -> None:
    rows = [(f"{p}{g}{i}", g, p) for g in "xy" for p, n in (("train", 30), ("val", 6), ("test", 6)) for i in range(n)]
    frame = samples(rows, "I think that {} is long; isn't it? We went there.")
    lively = (
        pl.when(pl.col("group") == "x").then(pl.lit(" Wow! Great! " * 3)).otherwise(pl.lit(" However (see 5), no."))
    )
    frame = frame.with_columns(answer=pl.col("answer") + lively)
    write_table(frame, tmp_path / "single.parquet", SAMPLES)
    settings = {"describer": "stylometry", "n_answers": 40, "n_heldout": 6}
    flags: tuple[object, ...] = (
        "--samples",
        tmp_path / "single.parquet",
        "--splits",
        "single",
        "--cache",
        tmp_path / "cache",
    )
    flags = (*flags, "--backend", '{"backend": "transformers"}')
    flags = (
        *flags,
        "--prompt-style",
        "auto",
        "--prompt-date",
        "2025-01-01",
        "--dtype",
        "float32",
        "--sentences",
        tmp_path / "sentences.parquet",
    )
    status, output = program("describe_style", settings, *flags)
    assert status == 0, output
    sentences = read_table(tmp_path / "sentences.parquet", SENTENCES)
    counts = sentences.unique("answer_id").group_by("part", "group").len().sort("part", "group").rows()
    assert counts == [(p, g, n) for p, n in (("test", 3), ("train", 20), ("val", 3)) for g in "xy"]
    # thresholds come from the described train answers, nothing else
    described = frame.join(sentences.select("answer_id").unique(), on="answer_id", how="semi").sort("answer_id")
    train = described.filter(pl.col("part") == "train")["answer"].to_list()
    names = describe(described["answer"].to_list(), fit_thresholds(train, 0.7))
    said = dict(sentences.group_by("answer_id", maintain_order=True).agg("attribute").iter_rows())
    expected: list[list[str | None]] = [[*n] or [None] for n in names]
    assert said == dict(zip(described["answer_id"], expected, strict=True))

    outputs = ("--catalogue", tmp_path / "catalogue.parquet", "--funnel", tmp_path / "funnel.parquet")
    status, output = program("build_catalogue", {}, "--sentences", tmp_path / "sentences.parquet", *outputs)
    assert status == 0, output
    assert "exclamation marks" in read_table(tmp_path / "catalogue.parquet", CATALOGUE)["attribute"]

    whole = (tmp_path / "sentences.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    status, output = program("build_catalogue", {}, "--sentences", tmp_path / "cut.parquet", *outputs)
    last = output.splitlines()[-1]
    assert status == 1 and last.startswith("error: ") and "cut.parquet: not a whole parquet file" in last
    status, output = program("describe_style", settings | {"describer": "llm"}, *flags)
    assert status == 1 and output.splitlines()[-1].startswith("error: description.describer is llm")


def test_program_with_a_tiny_model(tmp_path: Path, program: Programs) -> None:
    write_table(samples(make("a", "x", "train", 3) + make("b", "y", "val", 2)), tmp_path / "s.parquet", SAMPLES)
    tokenizer = train_tokenizer(["The author uses dashes . Text of a ? Tone"], ScratchTokenizer())
    save_llama(tmp_path / "lm", tokenizer)
    (tmp_path / "p.yaml").write_text("version: 1\nprompts: [{id: tone, kind: targeted, text: 'Tone of {answer} ?'}]")
    flags = ["--samples", tmp_path / "s.parquet", "--splits", "single", "--cache", tmp_path / "cache"]
    flags += ["--model", tmp_path / "lm", "--prompts", tmp_path / "p.yaml", "--dtype", "float32"]
    flags += ["--backend", '{"backend": "transformers"}', "--prompt-style", "auto", "--prompt-date", "2025-01-01"]
    for name in ("one", "two"):
        status, output = program(
            "describe_style", {"max_new_tokens": 6}, *flags, "--sentences", tmp_path / f"{name}.parquet"
        )
        assert status == 0, output
    assert len(list((tmp_path / "cache").glob("*.parquet"))) == 1
    table = read_table(tmp_path / "one.parquet", SENTENCES)
    assert set(table["answer_id"]) == {"a0", "a1", "a2", "b0", "b1"}
    assert set(table["prompt_id"]) <= {"tone@1", "llm"}
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_a_base_model_describes_after_a_document(tmp_path: Path, program: Programs) -> None:
    write_table(samples(make("a", "x", "train", 3)), tmp_path / "s.parquet", SAMPLES)
    save_llama(tmp_path / "lm", train_tokenizer(["The author uses dashes . Text of a ? Tone"], ScratchTokenizer()))
    (tmp_path / "p.yaml").write_text("version: 1\nprompts: [{id: tone, kind: targeted, text: 'Tone of {answer} ?'}]")
    flags = ["--samples", tmp_path / "s.parquet", "--splits", "single", "--prompts", tmp_path / "p.yaml"]
    flags += ["--model", tmp_path / "lm", "--dtype", "float32", "--backend", '{"backend": "transformers"}']
    flags += ["--prompt-style", "document", "--prompt-date", "none", "--document", tmp_path / "d.yaml"]

    def said(stop: str) -> pl.DataFrame:
        (tmp_path / "d.yaml").write_text(f"describer_prompt: '{{request}} The author'\ndescriber_stop: ['{stop}']\n")
        more = ["--cache", tmp_path / f"cache-{stop}", "--sentences", tmp_path / f"{stop}.parquet"]
        status, output = program("describe_style", {"max_new_tokens": 6}, *flags, *more)
        assert status == 0, output
        (kept,) = [pl.read_parquet(file) for file in (tmp_path / f"cache-{stop}").glob("*.parquet")]
        return kept

    free = said("nothing")["text"][0].split()
    assert free, "the model says something"
    cut = said(free[-1])
    first = free[: free.index(free[-1])]
    assert cut["text"][0].split() == first and cut["finish_reason"][0] == "stop_string"
