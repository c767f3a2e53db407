"""The transformers backend on tiny random models: a request's answer depends on nothing else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.common.seeds import seed_of
from sociolect.lm.requests import Request, Result, SteerRef, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend, batches_of
from tiny_models import ARCHITECTURES, save_speaker, save_tiny, tiny, word_tokenizer

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return word_tokenizer()


@pytest.fixture(scope="module")
def folder(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_speaker(tmp_path_factory.mktemp("lm"), tokenizer)


@pytest.fixture(scope="module")
def backend(folder: Path) -> TransformersBackend:
    return TransformersBackend(folder, 600, device="cpu")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("vectors") / "v.safetensors"
    generator = torch.Generator().manual_seed(3)
    write_vectors({k: torch.randn(3, 32, generator=generator) for k in ("a", "b")}, path)
    return str(path)


def requests(n: int, temperature: float = 1.0, file: str | None = None, **more: Any) -> list[Request]:
    """Prompts of 3 to 9 tokens; with a file every third is unsteered, the others take a or b and any positions."""
    made = []
    for i in range(n):
        ids = tuple([2, *((7 * i + 11 * j) % 50 + 12 for j in range(2 + i % 7))])
        steer = None
        if file is not None and i % 3:
            layers = ((0,), (1,), (0, 1, 2))[i % 5 % 3]
            steer = SteerRef(file, "ab"[i % 2], layers, 1.5, ("generated", "last", "all")[i // 3 % 3])
        values = {"max_new_tokens": 6 + i % 5, "top_p": 0.9 if i % 4 == 0 else 1.0, **more}
        made.append(Request(f"r{i:03d}", ids, temperature=temperature, seed=i * 7919, steer=steer, **values))
    return made


def answers(backend: TransformersBackend, made: list[Request]) -> dict[str, Result]:
    return {result.id: result for result in backend.generate(made)}


def test_sampled_frequencies_follow_the_model(backend: TransformersBackend) -> None:
    ids = (2, 15, 22)
    many = [Request(f"{i}", ids, 1, 1.0, 1.0, seed_of(1, i)) for i in range(3000)]
    first: list[Any] = [r.token_ids[0] if r.token_ids else backend.end_token for r in backend.generate(many)]
    with torch.inference_mode():
        expected = backend.model(input_ids=torch.tensor([ids])).logits[0, -1].softmax(0).numpy()
    seen = np.bincount(first, minlength=64) / 3000
    assert np.abs(seen - expected).max() < 4 * np.sqrt(0.25 / 3000)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_mixed_batch_equals_rows_alone(name: str, tokenizer: Any, file: str, tmp_path: Path) -> None:
    save_tiny(tiny(name, seed=2), tokenizer, tmp_path)
    backend = TransformersBackend(tmp_path, 10_000, device="cpu")
    made = [*requests(9, 0.0, file), *requests(18, 1.0, file)[9:]]
    together = answers(backend, made)
    assert {len(batch) for batch in batches_of(made, 10_000)} == {18}
    for request in made:
        assert list(backend.generate([request])) == [together[request.id]], request
    unsteered = answers(backend, [Request(**{**vars(r), "steer": None}) for r in made])
    moved = sum(unsteered[r.id] != together[r.id] for r in made if r.steer)
    assert moved >= 4
    assert all(unsteered[r.id] == together[r.id] for r in made if r.steer is None)


def test_result_depends_neither_on_order_nor_on_batches(backend: TransformersBackend, file: str) -> None:
    made = requests(40, 1.0, file)
    first = answers(backend, made)
    random.Random(0).shuffle(made)
    assert list(backend.generate(made)) == list(backend.generate(sorted(made, key=lambda r: r.id)))
    for budget in (30, 200, 5000):
        backend.batch_tokens = budget
        try:
            assert answers(backend, made) == first
        finally:
            backend.batch_tokens = 600
    reasons = {r.finish_reason for r in first.values()}
    assert reasons == {"stop", "length"}, "the model must sometimes end by itself for this test to mean anything"
    for request in made:
        result = first[request.id]
        assert len(result.token_ids) <= request.max_new_tokens
        assert (result.finish_reason == "length") == (len(result.token_ids) == request.max_new_tokens)
        assert backend.end_token not in result.token_ids


def test_strength_zero_is_the_identity_and_positions_differ(backend: TransformersBackend, file: str) -> None:
    plain = requests(12)

    def steered(strength: float, positions: str) -> dict[str, Result]:
        ref = SteerRef(file, "a", (0, 2), strength, positions)
        return answers(backend, [Request(**{**vars(r), "steer": ref}) for r in plain])

    base = answers(backend, plain)
    for positions in ("generated", "last", "all"):
        assert steered(0.0, positions) == base
    moved = {p: steered(6.0, p) for p in ("generated", "last", "all")}
    assert moved["generated"] != moved["last"] != moved["all"] != base
    # the first token is predicted from the prompt, which `generated` leaves alone
    assert all(moved["generated"][k].token_ids[:1] == base[k].token_ids[:1] for k in base)
    assert any(moved["last"][k].token_ids[:1] != base[k].token_ids[:1] for k in base)


def test_bad_requests_are_refused_before_anything_runs(backend: TransformersBackend, file: str) -> None:
    good = requests(3)

    def refuse(message: str, **change: Any) -> None:
        bad = Request(**{**vars(good[2]), "id": "bad", **change})
        with pytest.raises(InputError, match=message):
            next(backend.generate([*good, bad]))

    refuse(r"'bad': prompt of 63 tokens and 8 new ones exceed the model's 64", prompt_token_ids=(2,) * 63)
    refuse("'bad': the prompt has no tokens", prompt_token_ids=())
    refuse("'bad': a prompt token is not in", prompt_token_ids=(2, 64))
    refuse("steers layers", steer=SteerRef(file, "a", (3,), 1.0))
    refuse("positions 'prompt'", steer=SteerRef(file, "a", (0,), 1.0, "prompt"))
    refuse("'bad': mode 'turn'; use add, adaptive, rotate", steer=SteerRef(file, "a", (0,), 1.0, mode="turn"))
    refuse("no 'floor/b', which mode adaptive needs", steer=SteerRef(file, "b", (0,), 1.0, mode="adaptive"))
    refuse("no steering vector 'c'", steer=SteerRef(file, "c", (0,), 1.0))
    refuse("not a whole vectors file", steer=SteerRef(file + "x", "a", (0,), 1.0))
    refuse("occurs twice", id="r000")


def test_out_of_memory_halves_down_to_one(backend: TransformersBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    made, whole, sizes = requests(16), backend._answer, []
    expected = answers(backend, made)

    def limited(most: int) -> None:
        def answer(batch: Any, tables: Any) -> Any:
            sizes.append(len(batch))
            if len(batch) > most:
                raise torch.OutOfMemoryError("no memory")
            return whole(batch, tables)

        monkeypatch.setattr(backend, "_answer", answer)

    limited(3)
    assert answers(backend, made) == expected and max(sizes) == 16 and min(sizes) == 2
    limited(0)
    with pytest.raises(InputError, match=r"request 'r\d+' \(\d tokens|request 'r\d+' \(\d prompt tokens\)"):
        answers(backend, made)


def test_batches_keep_the_budget() -> None:
    made = requests(50)
    for batch in batches_of(made, 90):
        size = max(len(r.prompt_token_ids) for r in batch) + max(r.max_new_tokens for r in batch)
        assert len(batch) == 1 or len(batch) * size <= 90
    assert sorted(r.id for batch in batches_of(made, 1) for r in batch) == [r.id for r in made]
