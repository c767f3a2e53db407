"""The recipe of an export: it comes back as it was, and knows its model by the weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spoken_kit import choice_of, kit_in

from sociolect.common.errors import InputError
from sociolect.export.recipe import check_weights, read_recipe, weights_of
from sociolect.models.loading import sha256_of


def test_a_recipe_comes_back_as_it_was(tmp_path: Path) -> None:
    recipe = kit_in(tmp_path, choice_of("adaptive", "last")).recipe
    (tmp_path / "steering.json").write_text(recipe.model_dump_json())
    assert read_recipe(tmp_path / "steering.json") == recipe
    (tmp_path / "steering.json").write_text("{}")
    with pytest.raises(InputError, match=r"steering\.json: not the recipe of an export"):
        read_recipe(tmp_path / "steering.json")


def test_another_model_is_refused(tmp_path: Path) -> None:
    kit = kit_in(tmp_path, choice_of())
    check_weights(kit.recipe, kit.model)
    with pytest.raises(InputError, match="no such file; the vectors belong to a speaker"):
        check_weights(kit.recipe, tmp_path)
    weights = kit.model / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(InputError, match="other weights than the vectors were made for"):
        check_weights(kit.recipe, kit.model)


def test_a_snapshot_remembers_its_digests(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    assert weights_of(tmp_path) == {"model.safetensors": sha256_of(tmp_path / "model.safetensors")}
    files = {"model.safetensors": {"size": 3, "sha256": "f" * 64}}
    (tmp_path / "snapshot.json").write_text(json.dumps({"files": files}))
    assert weights_of(tmp_path) == {"model.safetensors": "f" * 64}
