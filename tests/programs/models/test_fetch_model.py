"""fetch_model with the hub switched off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

from conftest import ROOT
from sociolect.models.loading import check_snapshot, load_causal_lm, load_tokenizer
from tiny_models import REVISION, make_hub

SCRIPTS = ROOT / "workflow" / "scripts"

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hub(tmp_path_factory.mktemp("hub"))


def test_end_to_end_with_the_hub_switched_off(hub: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lm"
    settings = {"lm": {"repo": "tiny/llama", "revision": REVISION}, "hub": str(hub)}
    program = [sys.executable, str(SCRIPTS / "fetch_model.py"), "--name", "lm", "--model", str(folder)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    subprocess.run([*program, "--settings", json.dumps(settings)], check=True, env=env, capture_output=True)
    snapshot = json.loads((folder / "snapshot.json").read_text())
    assert (snapshot["repo"], snapshot["revision"]) == ("tiny/llama", REVISION)
    assert "model.safetensors" in snapshot["files"] and not (folder / "pytorch_model.bin").exists()
    check_snapshot(folder, contents=True)
    model, tokenizer = load_causal_lm(folder, device="cpu"), load_tokenizer(folder)
    original = LlamaForCausalLM.from_pretrained(hub / "tiny" / "llama" / REVISION)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), original.parameters(), strict=True))
    assert tokenizer.chat_template is not None and not model.training
    assert load_causal_lm(folder, "bfloat16", "cpu").dtype == torch.bfloat16
