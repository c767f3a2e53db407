"""generate_answers: killed and resumed; measure_fluency on its answers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import generate_answers
import measure_fluency
from conftest import ROOT
from made_tables import ASKED, METHODS, corpus, plan, prompting
from sociolect.common.artifacts import read_table, vectors, write_table
from sociolect.common.digests import digest_of
from sociolect.common.files import write_json
from sociolect.common.runtime import Job
from sociolect.common.schemas import FLUENCY, GENERATIONS, REQUESTS, STEERING
from sociolect.generation.asking import gather
from sociolect.generation.planning import plan_requests
from sociolect.lm.wordings import open_wording
from sociolect.settings.generation import GenerationSettings
from tiny_models import save_speaker, word_tokenizer

SCRIPTS = ROOT / "workflow" / "scripts"

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return word_tokenizer()


@pytest.fixture(scope="module")
def folder(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_speaker(tmp_path_factory.mktemp("lm"), tokenizer)


@pytest.fixture
def job(folder: Path, tokenizer: Any, tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    asked = plan(tokenizer, samples=3)
    write_table(asked, tmp_path / "requests.parquet", REQUESTS)
    rng = np.random.default_rng(0)
    controls = ("random", "topic", "shuffled_all", "other_group_all")
    keys = [(g, m) for g in ASKED for m in ("all", *controls)] + [(g, "distinctive") for g in METHODS["distinctive"]]
    unit = rng.standard_normal((len(keys) * 3, 32))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    steering = pl.DataFrame(
        {
            "group": [g for g, _ in keys for _ in range(3)],
            "method": [m for _, m in keys for _ in range(3)],
            "layer": pl.Series([0, 1, 2] * len(keys), dtype=pl.Int32),
            "vector": vectors(unit, "vector"),
            "floor": np.zeros(len(unit)),
        }
    )
    write_table(steering, tmp_path / "steering.parquet", STEERING)
    choice = {"method": "all", "layers": [1], "alpha": 0.8, "positions": "generated", "mode": "add"}
    methods = {"all": choice, "distinctive": {**choice, "method": "distinctive", "mode": "rotate"}}
    found = {**choice, "residual_norms": [1.0, 2.0, 3.0], "fluent": True, "methods": methods}
    write_json(found, tmp_path / "choice.json")
    settings = GenerationSettings(samples=3, max_new_tokens=12, batch_tokens=400, buckets=12)
    flags = {"requests": "requests.parquet", "steering": "steering.parquet", "choice": "choice.json"}
    command = [sys.executable, str(SCRIPTS / "generate_answers.py"), "--lm", str(folder), "--dtype", "float32"]
    command += ["--backend", '{"backend": "transformers"}', "--prompt-style", "auto"]
    command += [part for k, v in flags.items() for part in (f"--{k}", str(tmp_path / v))]
    yield tmp_path, [*command, "--settings", settings.model_dump_json()]


def test_a_base_model_completes_documents_and_stops(job: tuple[Path, list[str]], folder: Path) -> None:
    """The same model without its chat template: planned, answered and measured by the programs."""
    path, command = job
    shutil.copytree(folder, path / "base")
    tokenizer = word_tokenizer()
    tokenizer.chat_template = None
    tokenizer.save_pretrained(path / "base")
    (path / "base" / "chat_template.jinja").unlink(missing_ok=True)
    (path / "document.yaml").write_text("question_prompt: 'wbb {question} wbc'\nstop: [waa, ' we']\n")
    settings = GenerationSettings.model_validate_json(command[-1])
    wording = open_wording(tokenizer, "auto", document_file=path / "document.yaml")
    requests = plan_requests(corpus(), ASKED, METHODS, prompting(wording), settings, 1)
    write_table(requests, path / "asked.parquet", REQUESTS)
    given = {"requests": "asked.parquet", "steering": "steering.parquet", "choice": "choice.json", "lm": "base"}
    paths = {**{k: [path / v] for k, v in given.items()}, "document": [path / "document.yaml"]}
    options = {"dtype": "float32", "prompt_style": "auto", "shard": "1-of-1", "cache": str(path / "cache")}
    options["backend"] = command[command.index("--backend") + 1]
    out = {"generations": path / "done.parquet"}
    generate_answers.main(Job("generate_answers", settings, paths, out, options, 0, 1, "", None))
    done = read_table(path / "done.parquet", GENERATIONS)
    assert {"stop_string", "length"} <= set(done["finish_reason"])
    texts = done["text"]
    assert not texts.str.contains("waa| we").any() and texts.equals(texts.str.strip_chars())
    cut, whole = (done.filter(pl.col("finish_reason") == reason) for reason in ("stop_string", "length"))
    # what was cut is counted no more; special tokens are no words
    assert cut["n_tokens"].max() < settings.max_new_tokens  # type: ignore[operator]
    assert (cut["n_tokens"] >= cut["text"].str.count_matches(r"\w+")).all()
    assert set(whole["n_tokens"]) == {settings.max_new_tokens}

    paths = {"generations": [path / "done.parquet"], "lm": [path / "base"]}
    out = {"fluency": path / "fluency.parquet"}
    measure_fluency.main(Job("measure_fluency", settings, paths, out, options, 1, 1, "", None))
    fluency = read_table(path / "fluency.parquet", FLUENCY)
    assert fluency["log_perplexity"].is_null().to_list() == (done["text"] == "").to_list()
    # another list of stop strings is not answered from the cache of this one
    (path / "document.yaml").write_text("question_prompt: 'wbb {question} wbc'\nstop: [nothing]\n")
    paths = {**{k: [path / v] for k, v in given.items()}, "document": [path / "document.yaml"]}
    out = {"generations": path / "more.parquet"}
    generate_answers.main(Job("generate_answers", settings, paths, out, options, 0, 1, "", None))
    assert "stop_string" not in set(read_table(path / "more.parquet", GENERATIONS)["finish_reason"])


def test_killed_generation_resumes_byte_identically(job: tuple[Path, list[str]]) -> None:
    path, command = job
    env = {**os.environ, "OMP_NUM_THREADS": "1"}

    def start(name: str) -> subprocess.Popen[bytes]:
        more = ["--shard", "1-of-1", "--cache", str(path / name), "--generations", str(path / f"{name}.parquet")]
        return subprocess.Popen([*command, *more], env=env, stderr=subprocess.PIPE)

    killed = start("killed")
    first = path / "killed"
    deadline = time.monotonic() + 120
    while len(list(first.glob("0*.parquet"))) < 2 and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL and not (path / "killed.parquet").exists()
    kept = {p: p.stat().st_mtime_ns for p in first.glob("0*.parquet")}
    assert 2 <= len(kept) < 12
    resumed = start("killed")
    inputs = {"requests": "requests.parquet", "steering": "steering.parquet", "choice": "choice.json"}
    paths = {**{k: [path / v] for k, v in inputs.items()}, "lm": [Path(command[3])], "document": []}
    options = {"dtype": "float32", "prompt_style": "auto", "shard": "1-of-1", "cache": str(path / "straight")}
    options["backend"] = command[command.index("--backend") + 1]
    settings = GenerationSettings.model_validate_json(command[-1])
    out = {"generations": path / "straight.parquet"}
    digest = digest_of(json.loads(command[-1]))
    generate_answers.main(Job("generate_answers", settings, paths, out, options, 0, 1, "", None, digest))
    _, errors = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, errors.decode()
    assert {p: p.stat().st_mtime_ns for p in kept} == kept, "what was done must not be done again"
    frames = [pl.read_parquet(path / f"{name}.parquet") for name in ("straight", "killed")]
    assert frames[0].equals(frames[1])
    for piece in sorted((path / "straight").glob("0*.parquet")):
        assert piece.read_bytes() == (first / piece.name).read_bytes()
    asked = pl.read_parquet(path / "requests.parquet")
    done = gather([frames[0]], asked)
    assert set(done["method"].drop_nulls()) == {
        "all",
        "distinctive",
        "random",
        "topic",
        "shuffled_all",
        "other_group_all",
    }
    names = ("question", "steered", "steered (all)", "steered (distinctive)")
    towards = done.filter(pl.col("target") != "chem")
    rows = {c: towards.filter(pl.col("condition") == c)["text"].to_list() for c in names}
    assert rows["question"] != rows["steered"] == rows["steered (all)"] != rows["steered (distinctive)"]

    write_table(done, path / "all.parquet", GENERATIONS)
    paths = {"generations": [path / "all.parquet"], "lm": [Path(command[3])]}
    out = {"fluency": path / "fluency.parquet"}
    measure_fluency.main(Job("measure_fluency", settings, paths, out, options, 1, 1, "", None))
    fluency = read_table(path / "fluency.parquet", FLUENCY)
    assert fluency["request_id"].equals(done["request_id"])
    assert fluency["log_perplexity"].is_null().to_list() == (done["text"] == "").to_list()
