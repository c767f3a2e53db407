"""The stages that generate, on vLLM: sentences held to their form, activations over generated tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
import transformers as tf

from sociolect.attributes.description_prompts import DescriptionPrompts
from sociolect.attributes.llm import describe_answers
from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.lm.requests import Request
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.vllm_backend import VllmBackend
from sociolect.lm.wordings import open_wording
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.attributes import DescriptionSettings
from sociolect.settings.models import ScratchTokenizer
from sociolect.settings.steering import ActivationSettings
from sociolect.settings.vllm import VllmSettings
from sociolect.steering.activations import attribute_vectors
from tiny_models import need_vllm

need_vllm()

torch.set_num_threads(1)
SAID = ["The author uses short words, commas and a formal tone.", "You use words. Say it.", "(a) b's; c: d & e/f - 12."]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama with a byte-level tokenizer."""
    folder = tmp_path_factory.mktemp("lm")
    tokenizer = train_tokenizer(SAID * 4, ScratchTokenizer(kind="bpe", vocabulary=400), 512)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(2)
    config = tf.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.3,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    tf.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def backend(model: Path) -> Iterator[VllmBackend]:
    """One engine for all tests."""
    made = VllmBackend(model, VllmSettings(max_sequences=32), "float32", 1)
    yield made
    made.close()


def test_guided_sentences_can_all_be_read(backend: VllmBackend, model: Path, tmp_path: Path) -> None:
    questions = [
        {"id": f"q{i}", "kind": "open", "text": f"{'Say how it is written. ' * 20}{i} {{answer}}"} for i in "ab"
    ]
    prompts = DescriptionPrompts.model_validate({"version": 1, "prompts": questions})
    answers = [f"{'word ' * (i % 7)}{i}" for i in range(20)]

    def encode(system: str | None, user: str) -> list[int]:
        return list(backend.tokenizer(user, add_special_tokens=False)["input_ids"])

    def described(guided: bool, name: str) -> list[tuple[str, str | None]]:
        settings = DescriptionSettings(max_new_tokens=160, guided=guided)
        said = describe_answers(
            answers, prompts, backend, encode, settings, tmp_path / name, "m", backend.context, None
        )
        assert len(said) == len(answers) and all(said)
        return [(sentence, attribute) for of_answer in said for _, sentence, attribute in of_answer]

    # random weights say nothing that could be read, unless they are held to it
    assert sum(attribute is not None for _, attribute in described(False, "free")) == 0
    held = described(True, "held")
    read = [attribute for _, attribute in held if attribute is not None]
    # only a last line that was cut off at the token limit is not read
    assert len(read) >= len(answers) and all(
        sentence.startswith("The author uses") or len(sentence) < 16 for sentence, _ in held
    )
    whole = [attribute for sentence, attribute in held if sentence.endswith(".")]
    assert None not in whole and len(whole) == len(read)
    # what is kept of a run with another setting is not taken for this one's
    assert described(True, "free") == held
    # the reference cannot, and says so
    reference = TransformersBackend(model, 1000, device="cpu")
    with pytest.raises(InputError, match="request 'r' has a pattern"):
        list(reference.generate([Request("r", (5, 6), 8, 0.0, 1.0, 0, pattern="a+")]))


@pytest.mark.parametrize("source", ["greedy", "sampled"])
def test_activations_over_generated_tokens_are_the_reference_s(backend: VllmBackend, model: Path, source: str) -> None:
    catalogue = pl.DataFrame(
        {
            "attribute_id": ["a", "b", "c"],
            "attribute": ["short words", "commas", "a formal tone"],
            "you_sentence": ["You use short words.", "You use commas.", "You use a formal tone."],
        }
    )
    settings = ActivationSettings(role="raw", source=source, samples=3, max_new_tokens=12, neutral="You use words.")
    reader = TransformersBackend(model, 500, device="cpu")
    wording = open_wording(reader.tokenizer, None)
    wanted = attribute_vectors(reader, wording, catalogue, settings, 1)
    found = attribute_vectors(reader, wording, catalogue, settings, 1, generator=backend)
    np.testing.assert_allclose(matrix(found["vector"]), matrix(wanted["vector"]), rtol=0, atol=1e-5)
    other = attribute_vectors(reader, wording, catalogue, settings, 2, generator=backend)
    assert np.allclose(matrix(other["vector"]), matrix(wanted["vector"])) == (source == "greedy")
