"""The exported net: its ten lines, with torch and safetensors alone, give this project's embeddings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.numpy import save_file

from conftest import ROOT
from sociolect.common.artifacts import vectors, write_table
from sociolect.common.schemas import CATALOGUE, GROUPS
from sociolect.embedding.net import EmbeddingNet, embed, save_net
from sociolect.export.net_files import write_net

LOADER = ROOT / "workflow/export/load_embedding.py"
# run where no path leads to Sociolect
CALL = """
import sys
from safetensors.numpy import load_file, save_file
from load_embedding import load_embedding
save_file({"embedding": load_embedding()(load_file("style")["style"]).numpy()}, "found")
print(sorted({"sociolect", "transformers", "polars"} & set(sys.modules)))
"""


@pytest.mark.parametrize("width", [0, 7])
def test_ten_lines_give_the_same_embeddings(tmp_path: Path, width: int) -> None:
    style = np.random.default_rng(0).random((20, 5), dtype=np.float32)
    net = EmbeddingNet(5, width, 3)
    net.reset(torch.Generator().manual_seed(1))
    net.standardize(torch.from_numpy(style))
    run, folder = tmp_path / "run", tmp_path / "export"
    save_net(net, run / "embedding/main/model.safetensors", {"distance": "cosine", "center": "mean_embedding"})
    write_tables(run)
    folder.mkdir()
    write_net(run, "main", LOADER, folder)
    save_file({"style": style}, folder / "style")
    done = subprocess.run([sys.executable, "-c", CALL], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    from safetensors.numpy import load_file

    found = load_file(folder / "found")["embedding"]
    assert np.abs(found - embed(net, style)).max() < 1e-6
    assert np.ptp(found, axis=0).min() > 0.1
    config = json.loads((folder / "config.json").read_text())
    assert config["attributes"] == list("vwxyz") and config["groups"] == {"g": [1.0, 2.0, 3.0]}
    assert config["distance"] == "cosine" and (config["width"], config["dimension"]) == (width, 3)


def test_the_loader_has_ten_lines() -> None:
    body = LOADER.read_text().split("safetensors.torch import load_file\n")[1]
    assert len([line for line in body.splitlines() if line.strip()]) <= 10


def write_tables(run: Path) -> None:
    """The catalogue of five attributes, and one group."""
    text: dict[str, list[object]] = {name: list("vwxyz") for name in ("attribute", "author_sentence", "you_sentence")}
    number: dict[str, list[object]] = {"n_answers": [1] * 5, "n_authors": [1] * 5, "share": [0.5] * 5}
    lists = {name: pl.Series([["a"]] * 5) for name in ("answer_ids", "raw_sentences", "prompt_ids")}
    catalogue = pl.DataFrame({"attribute_id": [f"a{i}" for i in range(5)], **text, **number, **lists})
    write_table(catalogue, run / "attributes/catalogue.parquet", CATALOGUE)
    wide = {name: vectors(np.ones((1, 5)), name) for name in ("style", "mean_style", "usage")}
    group = pl.DataFrame(
        {
            **{"group": ["g"], "n_answers": [3], "n_authors": [2], **wide},
            "embedding": vectors(np.asarray([[1.0, 2.0, 3.0]]), "embedding"),
            **{"distinctive": [["a1"]], "distinctive_gap": [[0.1]], "distinctive_frequency": [[1.0]]},
        }
    )
    write_table(group, run / "groups/main.parquet", GROUPS)
