"""Adapters: what they learn, and what they leave alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.generation.low_rank import adapted, training_pairs
from sociolect.lm.requests import Request
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.models.loading import load_causal_lm
from sociolect.settings.adapters import AdapterSettings
from tiny_models import save_tiny, tiny, word_tokenizer

torch.set_num_threads(1)
SETTINGS = AdapterSettings(rank=4, steps=30, batch_size=4, learning_rate=0.02)
PROMPTS = [(5, 6, 7), (6, 5), (7, 7, 5, 6)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "lm"
    save_tiny(tiny("llama", seed=5), word_tokenizer(), folder)
    return folder


def said(folder: Path, model: torch.nn.Module) -> list[tuple[int, ...]]:
    backend = TransformersBackend(folder, 2000, device="cpu", model=model)
    requests = [Request(f"r{i}", prompt, 4, 0.0, 1.0, i) for i, prompt in enumerate(PROMPTS)]
    return [r.token_ids for r in sorted(backend.generate(requests), key=lambda r: r.id)]


def test_the_adapted_model_answers_as_it_was_taught_and_the_folder_stays(folder: Path) -> None:
    before = said(folder, load_causal_lm(folder))
    pairs = [(prompt, [9, 9, 9, 9]) for prompt in PROMPTS]
    model = adapted(load_causal_lm(folder), pairs, SETTINGS, 1)
    # merged: the same modules as before, and no trace of the adapter
    assert model.state_dict().keys() == load_causal_lm(folder).state_dict().keys()
    assert said(folder, model) == [(9, 9, 9, 9)] * 3 != before == said(folder, load_causal_lm(folder))


def test_the_seed_decides_and_other_draws_do_not(folder: Path) -> None:
    pairs = [(prompt, [8, 9]) for prompt in PROMPTS]

    def weights(seed: int) -> torch.Tensor:
        torch.rand(3)
        settings = SETTINGS.model_copy(update={"steps": 2})
        return torch.cat([p.flatten() for p in adapted(load_causal_lm(folder), pairs, settings, seed).parameters()])

    state = torch.random.get_rng_state()
    first, second = weights(1), weights(1)
    assert torch.equal(first, second) and not torch.equal(first, weights(2))
    # nothing else was drawn from the common generator
    after = torch.random.get_rng_state()
    torch.random.set_rng_state(state)
    torch.rand(3), torch.rand(3), torch.rand(3)
    assert torch.equal(torch.random.get_rng_state(), after)


def test_answers_end_and_leave_room() -> None:
    pairs = [((1, 2), (3, 4)), ((1, 2, 3, 4), (5,)), ((1,), (2, 3, 4, 5))]
    assert training_pairs(pairs, 9, 4) == [((1, 2), [3, 4]), ((1,), [2, 3, 4])]
    assert training_pairs(pairs[:1], 9, 9) == [((1, 2), [3, 4, 9])]
    assert training_pairs(pairs[:1], None, 9) == [((1, 2), [3, 4])]


def test_a_group_without_answers_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"no train answers .* adapters\.max_tokens"):
        adapted(load_causal_lm(folder), [], SETTINGS, 1)
