"""Snapshots from a stand-in hub: what is fetched, checked and loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BloomConfig, GPT2Config, LlamaConfig, LlamaForCausalLM

from sociolect.common.errors import InputError
from sociolect.common.files import read_json
from sociolect.models.hub import fetch_snapshot
from sociolect.models.loading import check_loadable, check_snapshot, context_of, load_causal_lm
from sociolect.models.snapshots import files_of
from sociolect.settings.models import HubModel
from tiny_models import REVISION, make_hub, save_llama, word_tokenizer

torch.set_num_threads(1)
MODEL = HubModel(repo="tiny/llama", revision=REVISION)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hub(tmp_path_factory.mktemp("hub"))


def test_unknown_names_say_what_to_set(hub: Path, tmp_path: Path) -> None:
    out = tmp_path / "lm"
    with pytest.raises(InputError, match=f"revision {'b' * 40} is unknown; it has {REVISION}"):
        fetch_snapshot(HubModel(repo="tiny/llama", revision="b" * 40), str(hub), out)
    with pytest.raises(InputError, match="no model tiny/none"):
        fetch_snapshot(HubModel(repo="tiny/none", revision=REVISION), str(hub), out)
    with pytest.raises(InputError, match="neither an address"):
        fetch_snapshot(MODEL, str(tmp_path / "nowhere"), out)
    with pytest.raises(InputError, match=r"no config\.json"):
        load_causal_lm(out)
    assert not out.exists(), "a failed fetch must leave nothing"


def test_unreachable_hub(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot fetch tiny/llama"):
        fetch_snapshot(MODEL, "http://127.0.0.1:9", tmp_path / "lm")
    assert not (tmp_path / "lm").exists()


def test_broken_files_are_found(hub: Path, tmp_path: Path) -> None:
    broken = tmp_path / "hub"
    shutil.copytree(hub, broken)
    weights = broken / "tiny" / "llama" / REVISION / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])
    with pytest.raises(InputError, match=r"model.safetensors is not whole"):
        fetch_snapshot(MODEL, str(broken), tmp_path / "lm")
    weights.unlink()
    with pytest.raises(InputError, match=r"pytorch_model.bin is not whole"):
        fetch_snapshot(MODEL, str(broken), tmp_path / "lm")
    (weights.parent / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match=r"no weights"):
        fetch_snapshot(MODEL, str(broken), tmp_path / "lm")
    weights.write_bytes(whole)
    fetch_snapshot(MODEL, str(broken), tmp_path / "lm")
    changed = tmp_path / "lm" / "model.safetensors"
    changed.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    check_snapshot(tmp_path / "lm")
    with pytest.raises(InputError, match="changed since it was fetched"):
        check_snapshot(tmp_path / "lm", contents=True)
    changed.write_bytes(whole[:-100])
    with pytest.raises(InputError, match="changed since it was fetched"):
        load_causal_lm(tmp_path / "lm")


def test_a_revision_file_pins_a_flat_folder(hub: Path, tmp_path: Path) -> None:
    flat = tmp_path / "hub" / "tiny" / "llama"
    shutil.copytree(hub / "tiny" / "llama" / REVISION, flat)
    with pytest.raises(InputError, match="unknown; it has none"):
        fetch_snapshot(MODEL, str(tmp_path / "hub"), tmp_path / "lm")
    (flat / "revision").write_text(REVISION + "\n")
    fetch_snapshot(MODEL, str(tmp_path / "hub"), tmp_path / "lm")
    assert read_json(tmp_path / "lm/snapshot.json")["revision"] == REVISION


def test_pickled_weights_of_an_older_repo_become_safetensors(hub: Path, tmp_path: Path) -> None:
    older = tmp_path / "hub"
    shutil.copytree(hub, older)
    folder = older / "tiny" / "llama" / REVISION
    original = LlamaForCausalLM.from_pretrained(folder)
    torch.save(original.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    fetch_snapshot(MODEL, str(older), tmp_path / "lm")
    files = read_json(tmp_path / "lm/snapshot.json")["files"]
    assert "model.safetensors" in files and "pytorch_model.bin" not in files
    ids = torch.arange(5)[None]
    assert torch.equal(load_causal_lm(tmp_path / "lm", device="cpu")(ids).logits, original(ids).logits)


def test_the_context_is_that_of_the_model_s_config_whatever_it_calls_it(tmp_path: Path) -> None:
    for name, config in (
        ("llama", LlamaConfig(max_position_embeddings=48)),
        ("gpt2", GPT2Config(n_positions=48)),
    ):
        config.save_pretrained(tmp_path / name)
        assert context_of(tmp_path / name) == 48
    BloomConfig().save_pretrained(tmp_path / "bloom")
    assert context_of(tmp_path / "bloom") is None, "its positions have no end"


def test_weights_are_fetched_once(hub: Path, tmp_path: Path) -> None:
    """As Mistral's repositories lie: shards with their index, and the same weights whole in formats of other tools."""
    folder = tmp_path / "hub" / "tiny" / "llama" / REVISION
    shutil.copytree(hub / "tiny" / "llama" / REVISION, folder)
    model = LlamaForCausalLM.from_pretrained(folder)
    (folder / "model.safetensors").rename(folder / "consolidated.safetensors")
    model.save_pretrained(folder, max_shard_size="10KB")
    for name in ("consolidated-00001-of-00002.safetensors", "consolidated.00.pth", "original/consolidated.00.pth"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"weights")
    fetch_snapshot(MODEL, str(tmp_path / "hub"), tmp_path / "lm")
    weights = {n for n in read_json(tmp_path / "lm/snapshot.json")["files"] if not n.endswith((".json", ".jinja"))}
    promised = set(read_json(folder / "model.safetensors.index.json")["weight_map"].values())
    assert weights == promised and len(weights) > 1
    ids = torch.arange(5)[None]
    assert torch.equal(load_causal_lm(tmp_path / "lm", device="cpu")(ids).logits, model(ids).logits)
    # the other format alone is none that transformers reads
    for name in (*promised, "model.safetensors.index.json"):
        (folder / name).unlink()
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match=r"no weights, neither \.safetensors nor pytorch_model\.bin"):
        fetch_snapshot(MODEL, str(tmp_path / "hub"), tmp_path / "again")


def test_pickled_weights_are_taken_beside_a_format_that_is_not_read() -> None:
    own = ["config.json", "pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "onnx/config.json", "README.md"]
    assert files_of([*own, "consolidated.safetensors"]) == ["config.json", "pytorch_model.bin"]
    assert files_of([*own, "model.safetensors"]) == ["config.json", "model.safetensors"]


def test_what_cannot_be_loaded_is_known_without_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_llama(tmp_path, word_tokenizer())
    (tmp_path / "model.safetensors").unlink()
    check_loadable(tmp_path, "lm")
    check_loadable(tmp_path, "sfam")
    kept = {name: (tmp_path / name).read_text() for name in ("config.json", "tokenizer.json", "tokenizer_config.json")}

    def refused(match: str, name: str, kind: str = "lm", **change: Any) -> None:
        (tmp_path / name).write_text(json.dumps({**json.loads(kept[name]), **change}))
        with pytest.raises(InputError, match=match) as caught:
            check_loadable(tmp_path, kind)
        assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
        (tmp_path / name).write_text(kept[name])

    refused(
        "its config cannot be loaded .*`unheard-of` but Transformers does not", "config.json", model_type="unheard-of"
    )
    refused(
        "no model of type vit that is a language model; choose another for models.lm", "config.json", model_type="vit"
    )
    refused("no model of type clip that is an encoder", "config.json", "sfam", model_type="clip")
    own: dict[str, Any] = {"model_type": "own", "auto_map": {"AutoConfig": "configuration_own.OwnConfig"}}
    refused(
        "contains custom code.*; choose a model that needs no code of its own, which is never run", "config.json", **own
    )
    refused(
        "no whole tokenizer .*; choose a model that transformers loads", "tokenizer.json", model={"type": "Nothing"}
    )
    # what a tokenizer without its package raises
    monkeypatch.setattr(
        "sociolect.models.loading.AutoTokenizer.from_pretrained",
        lambda *args, **more: (_ for _ in ()).throw(ImportError("\nIt requires the\nSentencePiece library")),
    )
    refused(r"\(It requires the SentencePiece library\); choose another model, or install the package", "config.json")
