"""The demo's export: vectors that come back equal, answers that are the run's own, tables without texts, cards."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from safetensors.torch import load_file

from conftest import ROOT, make
from sociolect.common.artifacts import read_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import EMBEDDINGS, LABELS, REQUESTS, SAMPLES, STEERING
from sociolect.embedding.net import embed, load_net
from sociolect.export.control_vectors import read_control_vector
from sociolect.export.example_code import steering_code
from sociolect.export.export_folder import write_export
from sociolect.export.kit import answer_twice, kit_of_export, kit_of_run
from sociolect.generation.asking import ask
from sociolect.generation.choice import read_choice
from sociolect.lm.requests import Result, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from sociolect.settings.config import Config, read_config
from sociolect.steering.vectors_file import scaled_vectors, vector_key

MATERIAL = ROOT / "workflow/export"
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def run(demo: Path) -> Path:
    return demo / "results/demo"


@pytest.fixture(scope="module")
def config() -> Config:
    return read_config(ROOT / "config/demo.yaml")


@pytest.fixture(scope="module")
def export(run: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "export"
    write_export(config, run, MATERIAL, folder, with_texts=False)
    return folder


@pytest.fixture(scope="module")
def asked(run: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, Result]]:
    """Group, test question, and what the run answers to its own steered request, greedily: the first of each group."""
    folder = tmp_path_factory.mktemp("asked")
    choice = read_choice(run / "steering/main.choice.json")
    requests = read_table(run / "generations/main.requests.parquet", REQUESTS)
    rows = requests.filter((pl.col("condition") == "steered") & (pl.col("sample") == 0))
    rows = rows.sort("question_id").unique("target", keep="first", maintain_order=True)
    vectors = folder / "vectors.safetensors"
    write_vectors(scaled_vectors(read_table(run / "steering/main.parquet", STEERING), choice.residual_norms), vectors)
    backend = TransformersBackend(run / "models/lm", config.generation.batch_tokens)
    wording = open_wording(backend.tokenizer, config.prompts.style)
    greedy = config.generation.model_copy(update={"temperature": 0.0})
    results = {one.id: one for one in backend.generate(ask(wording, rows, choice, vectors, greedy).requests)}
    questions = dict(read_table(run / "samples/askx.parquet", SAMPLES).select("question_id", "question").iter_rows())
    return [
        (row["target"], questions[row["question_id"]], results[row["request_id"]]) for row in rows.iter_rows(named=True)
    ]


def test_the_export_says_what_the_run_says(
    run: Path, config: Config, export: Path, asked: list[tuple[str, str, Result]], tmp_path: Path
) -> None:
    assert len(asked) == 6
    # nothing of the run is beside it
    alone = Path(shutil.copytree(export, tmp_path / "alone"))
    kits = {"run": kit_of_run(config, run, "main", tmp_path), "export": kit_of_export(alone, None, None)}
    for group, question, result in asked:
        for kit in kits.values():
            found = answer_twice(kit, group, question)
            assert found["steered"].token_ids == result.token_ids
            assert found["steered"].text == result.text
            assert found["unsteered"].token_ids != result.token_ids


def test_plain_transformers_say_the_same(
    export: Path, asked: list[tuple[str, str, Result]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(export)
    kit = kit_of_export(Path(), None, None)
    for group, question, result in asked:
        code, names = steering_code(
            MATERIAL / "steer_plainly.py.j2", kit, "model", "vectors/main/groups.safetensors", group, question
        ), dict[str, Any]()  # fmt: skip
        assert code is not None
        exec(code, names)
        assert tuple(names["answer"].tolist())[: len(result.token_ids)] == result.token_ids


def test_the_programs_of_card_and_manual_run(export: Path, tmp_path: Path) -> None:
    manual, card = (ROOT / "docs/export.md").read_text(), (export / "README.md").read_text()
    kit = kit_of_export(export, None, None)
    for text, group, question in (
        (manual, "meadow", "Why is the flower so green?"),
        (card, "beacon", "Why is the sky blue?"),
    ):
        code = re.findall(r"```python\n(import torch.*?)```", text, re.DOTALL)[0]
        (tmp_path / "program.py").write_text(code)
        done = subprocess.run([sys.executable, tmp_path / "program.py"], cwd=export, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == answer_twice(kit, group, question)["steered"].text


def test_vectors_come_back_equal_from_every_file(run: Path, export: Path) -> None:
    choice = read_choice(run / "steering/main.choice.json")
    scaled = scaled_vectors(read_table(run / "steering/main.parquet", STEERING), choice.residual_norms)
    added, units = (load_file(export / f"vectors/main/{name}.safetensors") for name in ("groups", "directions"))
    assert sorted(added) == sorted(units) == ["beacon", "harbour", "lantern", "meadow", "orchard", "quarry"]
    for group, rows in added.items():
        for block, row in enumerate(rows):
            share = choice.alpha / len(choice.layers) if block in choice.layers else 0.0
            assert torch.equal(row, scaled[vector_key(choice.method, group)][block] * share)
        directions, hint = read_control_vector(export / f"vectors/main/{group}.gguf")
        assert hint == "llama" and tuple(directions) == choice.layers
        assert all(np.array_equal(value, rows[block].numpy()) for block, value in directions.items())
        svec = json.loads((export / f"vectors/main/{group}.svec").read_text())["directions"]
        assert tuple(map(int, svec)) == choice.layers
        assert all(torch.equal(torch.tensor(value), rows[[int(block)]]) for block, value in svec.items())
        lens = json.loads((export / f"vectors/main/{group}.vllm-lens.json").read_text())
        data = np.frombuffer(base64.b64decode(lens["activations"]["data"]), dtype=np.float32)
        assert tuple(lens["layer_indices"]) == choice.layers
        assert np.array_equal(data.reshape(lens["activations"]["shape"]), rows[list(choice.layers)].numpy())
        assert torch.allclose(units[group].norm(dim=1), torch.ones(3))


def test_the_loader_gives_the_runs_embeddings(run: Path, export: Path) -> None:
    call = (
        "import polars as pl, numpy as np; from load_embedding import load_embedding; "
        "style = pl.read_parquet('../../dataset/style_vectors/single.parquet')['style'].to_numpy(); "
        "np.save('found.npy', load_embedding()(style).numpy())"
    )
    folder = export / "embedding/main"
    done = subprocess.run([sys.executable, "-c", call], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = np.load(folder / "found.npy")
    (folder / "found.npy").unlink()
    labels = read_table(run / "labels/single.parquet", LABELS)
    net, _ = load_net(run / "embedding/main/model.safetensors")
    assert np.abs(found - embed(net, labels["style"].to_numpy())).max() < 1e-6
    kept = read_table(run / "embedding/main/embeddings.parquet", EMBEDDINGS).select("answer_id", "embedding")
    both = labels.select("answer_id").join(kept, on="answer_id", how="left", maintain_order="left")
    # kept in float32
    assert np.abs(found - both["embedding"].to_numpy()).max() < 1e-4


def test_texts_stay_with_the_run_unless_asked_for(run: Path, config: Config, export: Path, tmp_path: Path) -> None:
    samples = pl.concat(read_table(run / f"samples/{split}.parquet", SAMPLES) for split in ("single", "askx"))
    texts = {text for name in ("question", "answer", "author") for text in samples[name].drop_nulls()}
    assert not texts & strings(export / "dataset")
    write_export(config, run, MATERIAL, tmp_path / "with", with_texts=True)
    found = strings(tmp_path / "with/dataset")
    assert set(samples["answer"]) | set(samples["question"]) <= found
    assert not set(samples["author"].drop_nulls()) & found


def test_cards_name_what_there_is(export: Path) -> None:
    card = (export / "dataset/README.md").read_text()
    tables = sorted((export / "dataset").rglob("*.parquet"))
    assert len(tables) == 12
    configs = yaml.safe_load(card.split("---\n")[1])["configs"]
    listed = {file["path"]: file["split"] for config in configs for file in config["data_files"]}
    assert sorted(export / "dataset" / path for path in listed) == tables
    # what the datasets library takes as the name of a split
    assert all(re.fullmatch(r"\w+", split) and split != "all" for split in listed.values())
    for path in tables:
        assert all(f"| `{name}` |" in card for name in pl.read_parquet_schema(path))
    card = (export / "README.md").read_text()
    for said in (
        "Steering moves texts to the right group",
        "The vectors of beacon and lantern have cosine 1.000",
        "llama.cpp can add nothing to the output of block 0",
        "The corpus is made up",
        "trained from scratch",
        "| steered (shuffled) | 150 |",
        "alpha = 0.6",
    ):
        assert said in card
    # the table of files
    names = card.replace("<experiment>", "main").replace("<group>", "meadow")
    named = re.findall(r"^\| `([a-z]+/[^`]*)`", names, re.MULTILINE)
    assert len(named) == 9 and all((export / name).exists() for name in named)


def test_a_model_that_is_not_in_the_export_is_asked_for(run: Path, export: Path, tmp_path: Path) -> None:
    without = Path(shutil.copytree(export, tmp_path / "without", ignore=shutil.ignore_patterns("model")))
    with pytest.raises(InputError, match=r"the vectors belong to scratch: give MODEL="):
        kit_of_export(without, None, None)
    assert kit_of_export(without, None, run / "models/lm").model == run / "models/lm"
    with pytest.raises(InputError, match="other weights than the vectors were made for"):
        kit_of_export(without, None, run / "models/sfam")


def test_nothing_else_is_replaced(run: Path, config: Config, export: Path, tmp_path: Path) -> None:
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors/mine.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else than an export"):
        write_export(config, run, MATERIAL, tmp_path, with_texts=False)
    assert (tmp_path / "vectors/mine.txt").read_text() == "mine"
    again = Path(shutil.copytree(export, tmp_path / "again"))
    (again / "old").write_text("of an export before")
    write_export(config, run, MATERIAL, again, with_texts=False)
    assert files(again) == files(export)


def test_the_targets_of_make(demo: Path, project: Path, export: Path) -> None:
    (project / "results").symlink_to(demo / "results")
    done = make(project, "export", f"OUT={project / 'my export'}")
    assert done.returncode == 0, done.stderr
    assert files(project / "my export") == files(export)
    question = """it's "so" green?"""
    wanted = answer_twice(kit_of_export(export, None, None), "meadow", question)
    for source in ("CONFIG=config/demo.yaml", f"FROM={project / 'my export'}"):
        done = make(project, "steer", "GROUP=meadow", f"PROMPT={question}", source)
        assert done.returncode == 0, done.stderr
        first, second = done.stdout.split("\n\ntowards meadow (all, add, blocks 0, alpha 0.6, all tokens):\n")
        assert (first, second) == (f"unsteered:\n{wanted['unsteered'].text}", f"{wanted['steered'].text}\n")
    done = make(project, "steer", "GROUP=nobody", "PROMPT=why?")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "error: GROUP 'nobody': no vector for it; choose one of beacon, harbour, lantern" in done.stderr


def strings(folder: Path) -> set[str]:
    """All texts of all tables of a folder."""
    found: set[str] = set()
    for path in folder.rglob("*.parquet"):
        frame = pl.read_parquet(path)
        for name, kind in frame.schema.items():
            if kind == pl.String:
                found |= set(frame[name].drop_nulls())
            elif kind == pl.List(pl.String):
                found |= set(frame[name].explode().drop_nulls())
    return found


def files(folder: Path) -> set[str]:
    """Names of all files."""
    return {os.path.relpath(path, folder) for path in folder.rglob("*") if path.is_file()}
