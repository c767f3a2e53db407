"""A folder of the user's as a model: linked, whole, and refused where it is not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sociolect.common.errors import InputError
from sociolect.common.files import read_json
from sociolect.lm.steerable import check_steerable
from sociolect.models import snapshots
from sociolect.models.loading import check_snapshot, load_causal_lm, load_tokenizer
from sociolect.models.local import take_folder
from sociolect.settings.models import LocalModel
from tiny_models import save_llama, word_tokenizer

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    save_llama(tmp_path / "mine", word_tokenizer())
    (tmp_path / "mine/notes.md").write_text("not part of a model")
    return tmp_path / "mine"


def test_a_folder_is_linked_and_loads(mine: Path, tmp_path: Path) -> None:
    take_folder(LocalModel(folder=str(mine)), tmp_path / "lm", check_steerable)
    assert read_json(tmp_path / "lm/snapshot.json")["folder"] == str(mine)
    check_snapshot(tmp_path / "lm", contents=True)
    assert load_causal_lm(tmp_path / "lm", device="cpu").config.num_hidden_layers == 2
    assert load_tokenizer(tmp_path / "lm").is_fast and not (tmp_path / "lm/notes.md").exists()
    assert os.path.samefile(mine / "model.safetensors", tmp_path / "lm/model.safetensors")
    # and a snapshot is a folder like any other
    take_folder(LocalModel(folder=str(tmp_path / "lm")), tmp_path / "again")
    assert read_json(tmp_path / "again/snapshot.json")["files"] == read_json(tmp_path / "lm/snapshot.json")["files"]


def test_a_folder_on_another_disk_is_copied(mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OSError("cross-device link")

    monkeypatch.setattr(snapshots.os, "link", refuse)
    take_folder(LocalModel(folder=str(mine)), tmp_path / "lm")
    check_snapshot(tmp_path / "lm", contents=True)
    assert not os.path.samefile(mine / "model.safetensors", tmp_path / "lm/model.safetensors")


def test_what_is_wrong_with_a_folder_is_one_line_and_leaves_nothing(mine: Path, tmp_path: Path) -> None:
    def refused(match: str, folder: Path = mine) -> None:
        with pytest.raises(InputError, match=match) as caught:
            take_folder(LocalModel(folder=str(folder)), tmp_path / "lm", check_steerable)
        assert "\n" not in str(caught.value) and ".part" not in str(caught.value) and not (tmp_path / "lm").exists()

    refused("there is no folder .*nowhere", tmp_path / "nowhere")
    config = json.loads((mine / "config.json").read_text())
    (mine / "config.json").write_text(json.dumps({**config, "model_type": "deberta-v2"}))
    refused("of type deberta-v2 is no language model that can be steered")
    (mine / "config.json").write_text(json.dumps({**config, "model_type": "unheard-of"}))
    refused(f"{mine} .for {tmp_path / 'lm'}.: its config cannot be loaded .*`unheard-of` but Transformers does not rec")
    (mine / "config.json").write_text(json.dumps(config))
    (mine / "tokenizer.json").unlink()
    (mine / "tokenizer_config.json").unlink()
    refused(f"{mine} .for {tmp_path / 'lm'}.: no whole tokenizer .*; choose a model that transformers loads")
