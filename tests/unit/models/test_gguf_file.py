"""GGUF files of a user: another architecture loads, steers and generates; what is wrong with a file is one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, GgufConfig

from sociolect.common.errors import InputError
from sociolect.common.files import read_json
from sociolect.lm.requests import Request, SteerRef, write_vectors
from sociolect.lm.steerable import check_steerable
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.models.gguf_file import fetch_gguf
from sociolect.models.loading import end_tokens, load_causal_lm, load_tokenizer, sha256_of
from sociolect.models.snapshots import Check
from sociolect.settings.models import GgufModel
from tiny_models import save_gguf

pytestmark = pytest.mark.usefixtures("one_thread")
IDS = torch.tensor([[0, 70, 90, 33, 120, 250]])


@torch.inference_mode()
def test_an_unquantized_file_gives_the_model_back(tmp_path: Path) -> None:
    model = save_gguf(tmp_path / "mine.gguf")
    fetch_gguf(GgufModel(gguf=str(tmp_path / "mine.gguf")), tmp_path / "lm", check_steerable)
    again = load_causal_lm(tmp_path / "lm", device="cpu")
    assert torch.allclose(again(IDS).logits, model(IDS).logits, atol=1e-5)
    assert (again.config.model_type, again.dtype) == ("llama", torch.float32)
    assert read_json(tmp_path / "lm/snapshot.json")["sha256"] == sha256_of(tmp_path / "mine.gguf")


@torch.inference_mode()
def test_a_quantized_file_gives_what_transformers_reads_and_it_steers_and_generates(tmp_path: Path) -> None:
    model = save_gguf(tmp_path / "mine.gguf", quantized=True)
    fetch_gguf(GgufModel(gguf=str(tmp_path / "mine.gguf")), tmp_path / "lm", check_steerable)
    plan = GgufConfig(dequantize=True)
    read = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="mine.gguf", quantization_config=plan)
    again = load_causal_lm(tmp_path / "lm", device="cpu")(IDS).logits
    assert torch.equal(again, read(IDS).logits)
    # eight bits are near what was quantized, and not the same
    assert 0 < (again - model(IDS).logits).abs().max() < 0.2 * model(IDS).logits.std()

    backend = TransformersBackend(tmp_path / "lm", 500, device="cpu")
    write_vectors({"a": torch.randn(3, 32, generator=torch.manual_seed(1))}, tmp_path / "vectors")
    prompt = tuple(backend.tokenizer("a b").input_ids)

    def answer(strength: float) -> tuple[int, ...]:
        steer = SteerRef(str(tmp_path / "vectors"), "a", (1,), strength)
        return next(backend.generate([Request("r", prompt, 12, 0.0, 1.0, 0, steer)])).token_ids

    plain = next(backend.generate([Request("r", prompt, 12, 0.0, 1.0, 0)])).token_ids
    assert answer(0.0) == plain and len(plain) > 2
    assert answer(9.0) != plain


def test_the_tokenizer_begins_as_the_file_says_and_gives_offsets(tmp_path: Path) -> None:
    save_gguf(tmp_path / "mine.gguf")
    fetch_gguf(GgufModel(gguf=str(tmp_path / "mine.gguf")), tmp_path / "lm")
    tokenizer = load_tokenizer(tmp_path / "lm")
    found = tokenizer("été", return_offsets_mapping=True)
    assert found.input_ids[0] == tokenizer.bos_token_id == 0
    assert found.offset_mapping == [(0, 0), (0, 1), (0, 1), (1, 2), (2, 3), (2, 3)]
    assert tokenizer.decode(found.input_ids, skip_special_tokens=True) == "été"
    assert tokenizer("the", add_special_tokens=False).input_ids == [259]
    assert tokenizer("the").input_ids == [0, 259]
    assert end_tokens(tmp_path / "lm", tokenizer) == {1}


def test_what_is_wrong_with_a_file_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.gguf", tmp_path / "lm"

    def refused(match: str, check: Check = check_steerable, **more: str) -> None:
        with pytest.raises(InputError, match=match) as caught:
            fetch_gguf(GgufModel(gguf=str(file), **more), out, check)
        assert "\n" not in str(caught.value) and not list(tmp_path.glob("*lm*"))

    refused("there is no file .*mine.gguf")
    file.write_bytes(b"GGML and so on")
    refused("not a GGUF file")
    save_gguf(file)
    refused(f"its SHA-256 is {sha256_of(file)}, not {'0' * 64}", sha256="0" * 64)
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    refused(f"cut, it has {len(whole) - 100} of {len(whole)} bytes")
    file.write_bytes(whole[:900])
    refused("its header is broken, or of a kind not known here")
    save_gguf(file, tokenizer=False)
    refused("no tokenizer in it")
    save_gguf(file, architecture="clip")
    refused("transformers reads no language model of its architecture clip")

    # what the model must pass is asked before its tokenizer and weights are read
    def no_blocks(folder: Path) -> None:
        assert [path.name for path in folder.iterdir()] == ["config.json"]
        raise InputError("blocks were not found")

    save_gguf(file)
    refused("blocks were not found", no_blocks)
