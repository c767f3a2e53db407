"""The output layer: the model's own logits, on no position that nobody reads; with a vocabulary of 262,144, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
import transformers as tf
from torch import nn

from sociolect.common.errors import InputError
from sociolect.lm.fluency import log_perplexities
from sociolect.lm.output_layer import check_output_layer, decoder_of, logits_of
from sociolect.lm.packing import PackedLinear, pack_linears
from sociolect.lm.reading import Reading, read_mean, residual_norms
from sociolect.lm.requests import Request
from sociolect.lm.transformers_backend import TransformersBackend
from sociolect.lm.wordings import open_wording
from tiny_models import ARCHITECTURES, save_tiny, tiny, word_tokenizer

torch.set_num_threads(1)
# Gemma 3's
LARGE = 262_144


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> TransformersBackend:
    """One narrow block under the vocabulary of Gemma 3, in bfloat16: 8 MB of weights, 0.5 MB of logits a token."""
    folder, tokenizer = tmp_path_factory.mktemp("large"), word_tokenizer()
    config = tf.Gemma3TextConfig(
        vocab_size=LARGE, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
        head_dim=8, intermediate_size=16, max_position_embeddings=2048, tie_word_embeddings=True,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        save_tiny(tf.Gemma3ForCausalLM(config), tokenizer, folder)
    return TransformersBackend(folder, 20_000, "bfloat16", device="cpu")


@contextmanager
def watched(model: Any) -> Iterator[list[torch.Tensor]]:
    """What the output layer is given while the context is open."""
    given: list[torch.Tensor] = []
    layer = model.get_output_embeddings()
    handle = layer.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0]))
    yield given
    handle.remove()


def test_reading_states_never_runs_the_output_layer(large: TransformersBackend) -> None:
    # all logits of these 8192 tokens in float32 are 8.6 GB; the error that this stands for asked for 37 GB
    readings = [Reading(tuple(range(1, 65)), (62, 63)) for _ in range(128)]
    with watched(large.model) as given:
        values = read_mean(large.model, readings, 8192)
        norms = residual_norms(large.model, [(1, 2)] * 128, [range(3, 65)] * 128, 8192)
    assert given == [] and values.shape == (128, 1, 16) and norms[0] > 0


def test_generation_runs_it_on_a_contiguous_row_per_request(large: TransformersBackend) -> None:
    # a strided slice, as logits_to_keep=1 makes of a batch of prompts, copies the whole weight once per row
    made = [Request(f"{i:02d}", tuple(range(5, 30 + i % 3)), 3, 1.0, 0.95, i) for i in range(48)]
    with watched(large.model) as given:
        assert len(list(large.generate(made))) == 48
    assert [tuple(hidden.shape) for hidden in given] == [(48, 16)] * 3
    assert all(hidden.is_contiguous() for hidden in given)


def test_perplexity_runs_it_on_the_text_alone_in_pieces(large: TransformersBackend) -> None:
    wording = open_wording(large.tokenizer, "chat")
    prompts, texts = ["waa wab wac " * 20] * 6, ["wba wbb wbc wbd " * 10] * 6
    with watched(large.model) as given:
        found = log_perplexities(large.model, wording, prompts, texts, 20_000)
    tokens = 6 * len(large.tokenizer(texts[0], add_special_tokens=False)["input_ids"])
    pieces = [len(hidden) for hidden in given if hidden.dim() == 2][1:]
    assert sum(pieces) == tokens and max(pieces) * LARGE <= 1 << 25
    assert np.isfinite(found).all() and np.ptp(found) < 1e-6


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_two_halves_are_the_model(name: str) -> None:
    model, ids = tiny(name, seed=5), torch.arange(2, 12).view(2, 5)
    with torch.inference_mode():
        whole = model(input_ids=ids).logits
        halves = logits_of(model, decoder_of(model)(input_ids=ids).last_hidden_state.flatten(0, 1))
        torch.testing.assert_close(halves, whole.flatten(0, 1))
        check_output_layer(model)
        pack_linears(model)
        torch.testing.assert_close(model(input_ids=ids).logits, whole, rtol=1e-4, atol=1e-5)
    kinds = {type(module) for module in model.modules()}
    assert PackedLinear in kinds and nn.Linear not in kinds


def test_logits_that_something_else_is_done_to_are_refused() -> None:
    model = tiny("llama")
    model.register_forward_hook(lambda module, args, output: setattr(output, "logits", output.logits * 2))
    with pytest.raises(InputError, match="its logits are not those of its output layer alone"):
        check_output_layer(model)


def test_weights_that_others_read_are_kept() -> None:
    model = tiny("gemma3")
    tied = model.get_input_embeddings().weight
    pack_linears(model)
    assert model.get_output_embeddings().weight is tied
    in_bfloat16 = tiny("llama").bfloat16()
    pack_linears(in_bfloat16)
    assert not any(isinstance(module, PackedLinear) for module in in_bfloat16.modules())
