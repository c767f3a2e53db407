"""describe_style and build_catalogue, from samples to a catalogue."""

from __future__ import annotations

import json
import logging
import os
import re
import runpy
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_servers import KEY, Reply, chat_server, refused, said
from conftest import ROOT
from made_tables import make, samples
from sociolect.common.artifacts import read_provenance, read_table, write_table
from sociolect.common.schemas import CATALOGUE, SAMPLES, SENTENCES
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.models import ScratchTokenizer
from sociolect.stylometry.stylometry import describe, fit_thresholds
from tiny_models import save_llama

SCRIPTS = ROOT / "workflow" / "scripts"
ON_TRANSFORMERS = ("--backend", '{"backend": "transformers"}', "--server", "none")


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
    flags = (*flags, *ON_TRANSFORMERS)
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
    flags += [*ON_TRANSFORMERS, "--prompt-style", "auto", "--prompt-date", "2025-01-01"]
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
    flags += ["--model", tmp_path / "lm", "--dtype", "float32", *ON_TRANSFORMERS]
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


def served(folder: Path, address: str, *more: str) -> list[str]:
    """Command of the program, asking a server about three answers."""
    write_table(samples(make("a", "x", "train", 3)), folder / "s.parquet", SAMPLES)
    (folder / "p.yaml").write_text("version: 1\nprompts: [{id: tone, kind: targeted, text: 'Tone of {answer} ?'}]")
    server = {"address": address, "model": "tiny", "key_variable": "TINY_KEY", "concurrency": 1}
    command = [str(SCRIPTS / "start_program.py"), "--interpreter", sys.executable, "--gpus", "0", "describe_style"]
    command += ["--samples", str(folder / "s.parquet"), "--splits", "single", "--seed", "3", "--strict"]
    command += ["--prompts", str(folder / "p.yaml"), "--cache", str(folder / "cache"), "--dtype", "none", "--model"]
    command += ["--backend", '{"backend": "server"}', "--server", json.dumps(server), "--prompt-style", "auto"]
    command += ["--prompt-date", "none", "--sentences", str(folder / "out.parquet"), *more]
    keys = {"describer": "llm", "n_answers": 3, "n_heldout": 1, "max_new_tokens": 6, "max_prompt_chars": 400}
    return [*command, "--settings", json.dumps(keys)]


def test_a_server_describes_without_a_model_and_its_key_is_nowhere(tmp_path: Path) -> None:
    """Killed after two answers were kept: the third alone is asked again. No torch is loaded."""
    held = threading.Event()

    def answer(body: dict[str, Any], number: int) -> Reply:
        if number == 2:
            held.wait(60)
        return said("The author uses dashes.", reasoning_content=f"my key is {KEY}")

    with chat_server(answer) as told:
        command = served(tmp_path, told.address, "--heartbeat", str(tmp_path / "beat"))
        environ = {**os.environ, "TINY_KEY": KEY}
        killed = subprocess.Popen(
            [sys.executable, *command], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        began = time.monotonic()
        while len(told.bodies) < 3 and time.monotonic() - began < 60:
            time.sleep(0.02)
        killed.kill()
        printed = killed.communicate()[0]
        held.set()
        again = [sys.executable, "-X", "importtime", *command]
        done = subprocess.run(again, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(told.bodies) == 4 and {h["Authorization"] for h in told.headers} == {f"Bearer {KEY}"}
    assert not re.search(r"\| +(torch|transformers)$", done.stderr, re.MULTILINE)
    table = read_table(tmp_path / "out.parquet", SENTENCES)
    assert table.select("prompt_id", "attribute").unique().rows() == [("tone@1", "dashes")] and table.height == 3
    backend = read_provenance(tmp_path / "out.parquet")["backend"]
    (who,) = backend["answered_by"]
    assert who == {"address": told.address, "model": "tiny-2026-01-01", "fingerprint": "fp_7", "prompts": 3}
    assert (backend["model"], backend["temperature"], backend["seed"]) == ("tiny", 0.0, told.bodies[0]["seed"])
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 4 and not [path for path in written if KEY.encode() in path.read_bytes()]
    assert KEY not in printed + done.stdout + done.stderr
    # thousands of requests have no line each
    assert "HTTP Request" not in printed + done.stderr
    assert "2 prompts were answered before; 1 asked now: 11 tokens of prompts, 5 new" in done.stderr


@pytest.mark.parametrize(
    ("reply", "key", "message"),
    [
        (refused(401, f"Incorrect key: {KEY}"), KEY, r"refuses the key in TINY_KEY \(401\)"),
        (refused(400, f"strange field, {KEY}"), KEY, r"refuses the request \(400: strange field, \*\*\*\)"),
        (said("never asked"), "", r"the environment has no TINY_KEY; export it where you start the run"),
        (said("never asked"), f"{KEY}\nX", r"TINY_KEY holds no key"),
    ],
    ids=["401", "400", "no key", "odd key"],
)
def test_what_a_server_refuses_is_one_line_without_the_key(
    tmp_path: Path, program: Programs, monkeypatch: pytest.MonkeyPatch, reply: Reply, key: str, message: str
) -> None:
    monkeypatch.setenv("TINY_KEY", key)
    with chat_server(lambda body, number: reply) as told:
        *flags, _, settings = served(tmp_path, told.address)
        status, output = program("describe_style", json.loads(settings), *flags[flags.index("describe_style") + 1 :])
    assert status == 1 and len(told.bodies) == (0 if reply.status == 200 else 1)
    last = output.splitlines()[-1]
    assert last.startswith("error: ") and re.search(message, last), output
    assert KEY not in output and "Traceback" not in output
