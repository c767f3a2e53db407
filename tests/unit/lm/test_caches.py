"""Caches of many families: rows that leave, prompts that are padded or shared, against models that keep nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.lm.caches import check_cache, pads
from sociolect.lm.draws import draw_uniforms, sample_tokens
from sociolect.lm.fluency import log_perplexities
from sociolect.lm.requests import Request, SteerRef, write_vectors
from sociolect.lm.transformers_backend import TransformersBackend, batches_of
from sociolect.lm.wordings import open_wording
from tiny_families import ATTENTION, FAMILIES, OTHERS, REFUSED, family
from tiny_models import save_tiny, tiny, word_tokenizer

torch.set_num_threads(1)
# prompts are read beside those of their own length, and with the texts after them: Mamba's first scan begins anew
# where several tokens follow, and what is sparse may find padding
UNPADDED = {"bamba+bias", "falcon_mamba", "glm_moe_dsa", "jamba", "lfm2+bias", "mamba"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer and an end token, for whatever model."""
    folder = tmp_path_factory.mktemp("lm")
    save_tiny(tiny("llama"), word_tokenizer(), folder)
    return folder


def requests(steers: list[SteerRef | None] | None = None) -> list[Request]:
    """Greedy and sampled ones, of 3 to 6 prompt tokens and 3 to 7 new ones; two share a prompt."""
    made = []
    for i in range(8):
        ids = (2, *((7 * (i % 7) + 11 * j) % 50 + 12 for j in range(2 + i % 7 % 4)))
        steer = steers[i % len(steers)] if steers else None
        values: dict[str, Any] = {"max_new_tokens": 3 + 3 * i % 5, "temperature": i % 2, "top_p": 0.9 if i % 3 else 1.0}
        made.append(Request(f"{i}", ids, seed=i * 7919, steer=steer, **values))
    return made


@torch.inference_mode()
def said(model: Any, request: Request, ends: set[int]) -> tuple[int, ...]:
    """The answer of a loop that reads everything anew for every token."""
    ids, uniforms = list(request.prompt_token_ids), draw_uniforms([request.seed], request.max_new_tokens)
    for step in range(request.max_new_tokens):
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[:, -1]
        temperature, top_p = torch.tensor([float(request.temperature)]), torch.tensor([request.top_p])
        token = int(sample_tokens(logits, temperature, top_p, uniforms[:, step])[0])
        if token in ends:
            break
        ids.append(token)
    return tuple(ids[len(request.prompt_token_ids) :])


def answers(backend: TransformersBackend, made: list[Request]) -> dict[str, tuple[int, ...]]:
    return {result.id: tuple(result.token_ids) for result in backend.generate(made)}


@pytest.mark.parametrize("name", FAMILIES)
def test_answers_are_those_of_a_model_that_keeps_nothing(name: str, folder: Path) -> None:
    backend, made = TransformersBackend(folder, 10_000, device="cpu", model=family(name)), requests()
    wanted = {request.id: said(backend.model, request, backend.ends) for request in made}
    assert len({len(answer) for answer in wanted.values()}) > 2, "rows must leave at different steps"
    assert answers(backend, made) == wanted
    for request in made:
        assert answers(backend, [request]) == {request.id: wanted[request.id]}


@pytest.mark.parametrize("name", OTHERS)
def test_perplexities_after_a_shared_prompt_are_those_alone(name: str) -> None:
    model, wording = family(name), open_wording(word_tokenizer(), None)
    asked, told = ["waa wab wac wad wae waf", "waa"], ["wca wcb wcc wcd wce", "wea web wec"]
    prompts, texts = [p for p in asked for _ in told], told * 2
    alone = [log_perplexities(model, wording, [p], [t], 100)[0] for p, t in zip(prompts, texts, strict=True)]
    assert log_perplexities(model, wording, prompts, texts, 1000) == pytest.approx(alone, abs=1e-4)


def test_prompts_are_padded_where_padding_stays_out_of_the_states() -> None:
    assert {name for name in FAMILIES if not pads(family(name))} == UNPADDED
    made = requests()
    assert len(batches_of(made, 10_000)) == 1
    apart = batches_of(made, 10_000, padded=False)
    assert [{len(r.prompt_token_ids) for r in batch} for batch in apart] == [{6}, {5}, {4}, {3}]
    assert sorted(r.id for batch in apart for r in batch) == [r.id for r in made]
    for batch in batches_of(made, 22, padded=False):
        size = len(batch[0].prompt_token_ids) + max(r.max_new_tokens for r in batch)
        assert len(batch) == 1 or len(batch) * size <= 22


@pytest.mark.parametrize("name", ["granitemoehybrid", "qwen3_5_text", "jamba", "mamba2"])
def test_steered_answers_of_a_batch_are_those_alone(name: str, folder: Path, tmp_path: Path) -> None:
    file, draw = str(tmp_path / "v.safetensors"), torch.Generator().manual_seed(3)
    write_vectors({key: torch.randn(4, 32, generator=draw) for key in "ab"}, Path(file))
    steers = [None, SteerRef(file, "a", (0, 2), 3.0, "all"), SteerRef(file, "b", (1,), 3.0, "generated")]
    backend, made = TransformersBackend(folder, 10_000, device="cpu", model=family(name)), requests(steers)
    together, plain = answers(backend, made), answers(backend, requests())
    for request in made:
        assert answers(backend, [request]) == {request.id: together[request.id]}
        assert request.steer is not None or together[request.id] == plain[request.id]
    assert sum(together[r.id] != plain[r.id] for r in made) >= 3


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_steered_or_gone_on_from_is_refused_by_name(name: str, folder: Path) -> None:
    model = family(name)
    with pytest.raises(InputError, match=f"{type(model).__name__}: its|{type(model).__name__}: it does not go on"):
        TransformersBackend(folder, 10_000, device="cpu", model=model)


def test_a_cache_whose_rows_are_not_those_asked_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("llama", "qwen3_5_text", "mamba"):
        check_cache(family(name))
    monkeypatch.setattr("sociolect.lm.caches.select_rows", lambda cache, rows: cache.reorder_cache(1 - rows))
    for name in ("llama", "qwen3_5_text", "mamba"):
        with pytest.raises(InputError, match="ForCausalLM: it does not go on from some rows of its cache; choose"):
            check_cache(family(name))


def test_attention_alone_is_padded_whatever_its_biases() -> None:
    assert all(pads(family(name)) for name in ATTENTION)
