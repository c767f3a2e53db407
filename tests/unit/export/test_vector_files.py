"""Vector files of a run: whatever groups are called, and control vectors only where vectors are just added."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from spoken_kit import LAYERS, choice_of, steering_frame

from conftest import ROOT
from sociolect.common.artifacts import write_table
from sociolect.common.schemas import STEERING
from sociolect.export.control_vectors import read_control_vector
from sociolect.export.kit import GROUP_VECTORS
from sociolect.export.vector_files import LENS, write_group_vectors
from sociolect.lm.requests import read_vectors
from sociolect.settings.config import Config
from tiny_models import save_speaker, word_tokenizer

GROUPS = ("..", "a b", "floor", "r/AskX", "ünder")


@pytest.mark.parametrize("mode", ["add", "rotate"])
def test_every_group_has_its_vectors_whatever_it_is_called(tmp_path: Path, mode: str) -> None:
    run, folder, choice = tmp_path / "run", tmp_path / "vectors", choice_of(mode)
    write_table(steering_frame(GROUPS), run / "steering/main.parquet", STEERING)
    (run / "steering/main.choice.json").write_text(choice.model_dump_json())
    save_speaker(run / "models/lm", word_tokenizer())
    prompts = {"style": "document", "document_file": str(ROOT / "workflow/prompts/document.yaml")}
    experiments = {"main": {"fit": ["single"], "ask": "askx"}}
    config = Config.model_validate({"run": "made", "experiments": experiments, "prompts": prompts})
    recipe = write_group_vectors(config, run, "main", folder)
    assert recipe.groups == GROUPS and recipe.style == "document"
    added = read_vectors(folder / GROUP_VECTORS, GROUPS)
    units = read_vectors(folder / "directions.safetensors", GROUPS)
    for group in GROUPS:
        moved = [block for block in range(LAYERS) if added[group][block].any()]
        assert tuple(moved) == choice.layers
        assert np.allclose(units[group].norm(dim=1).numpy(), 1)
    found = {unquote(path.stem): path for path in folder.glob("*.gguf")}
    others = {end: {unquote(path.name.removesuffix(end)) for path in folder.glob(f"*{end}")} for end in (LENS, ".svec")}
    if mode != "add":
        assert not found and not others[LENS] | others[".svec"]
        return
    assert sorted(found) == sorted(GROUPS) and others[LENS] == others[".svec"] == {*GROUPS}
    for group, path in found.items():
        for block, value in read_control_vector(path)[0].items():
            assert np.array_equal(value, added[group][block].numpy())
