"""Perplexity and repetition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sociolect.lm.fluency import log_perplexities, repetition
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from spoken import spaced_tokenizer
from tiny_models import ARCHITECTURES, save_speaker, tiny, word_tokenizer

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> TransformersBackend:
    return TransformersBackend(save_speaker(tmp_path_factory.mktemp("lm"), word_tokenizer()), 600, device="cpu")


def test_log_perplexity_against_a_loop(backend: TransformersBackend) -> None:
    tokenizer, model = backend.tokenizer, backend.model
    wording = open_wording(tokenizer, None)
    prompts = ["waa wab", "waa wab wac wad", "waa"]
    texts = ["wba wbb wbc", "wca", ""]
    for budget in (4, 1000):
        found = log_perplexities(model, wording, prompts, texts, budget)
        assert np.isnan(found[2])
        for i in (0, 1):
            ids = tokenizer(f"{prompts[i]}", add_special_tokens=False)["input_ids"]
            losses = []
            for token in tokenizer(texts[i], add_special_tokens=False)["input_ids"]:
                with torch.inference_mode():
                    logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
                losses.append(-logits.log_softmax(0)[token].item())
                ids = [*ids, token]
            assert found[i] == pytest.approx(np.mean(losses), abs=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_texts_that_share_a_prompt_are_read_after_it_as_if_each_had_been_read_alone(name: str) -> None:
    model, wording = tiny(name, seed=2), open_wording(word_tokenizer(), None)
    asked = ["waa wab wac wad wae waf", "waa", "wba wbb wbc"]
    told = ["wca wcb wcc wcd wce", "wda", "wea web wec", "waa wab wac wad wae waf wag"]
    prompts, texts = [p for p in asked for _ in told], told * 3
    alone = [log_perplexities(model, wording, [p], [t], 100)[0] for p, t in zip(prompts, texts, strict=True)]
    for budget in (9, 40, 1000):
        assert log_perplexities(model, wording, prompts, texts, budget) == pytest.approx(alone, abs=1e-5)
    # beside one that shares with none, and in another order
    more = log_perplexities(model, wording, [*prompts[::-1], "web"], [*texts[::-1], "waj wai"], 60)
    assert more[:-1] == pytest.approx(alone[::-1], abs=1e-5)
    assert more[-1] == pytest.approx(log_perplexities(model, wording, ["web"], ["waj wai"], 60)[0], abs=1e-5)


def test_a_document_goes_on_after_a_space_whoever_wrote_the_text() -> None:
    model, wording = tiny("llama", seed=3), open_wording(spaced_tokenizer(), "document")
    prompt = wording.render("question", "Why not?", "x", ())
    told = ["<s>", "Question:", " Why", " not?", "\n", "Answer:", " Store", " coffee"]
    ids = torch.tensor([wording.tokenizer.convert_tokens_to_ids(told)])
    with torch.inference_mode():
        scores = model(input_ids=ids).logits[0].log_softmax(-1)
    wanted = -np.mean([float(scores[5, ids[0, 6]]), float(scores[6, ids[0, 7]])])
    texts = ["Store coffee", " Store coffee\n", " ", ""]
    found = log_perplexities(model, wording, [prompt] * 4, texts, 100)
    assert found[:2] == pytest.approx([wanted, wanted], abs=1e-5) and np.isnan(found[2:]).all()


def test_repetition_by_hand() -> None:
    assert repetition("a b") == 0
    assert repetition("a b c d") == 0
    # abc bca cab abc: one of four repeats
    assert repetition("A b c a B c") == pytest.approx(1 / 4)
