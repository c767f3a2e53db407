"""Block hooks on tiny random models of every supported architecture."""

from __future__ import annotations

import pytest
import torch

from sociolect.common.errors import InputError
from sociolect.lm.hooks import add_to_blocks, blocks_of, change_blocks, check_blocks, read_blocks, width_of
from tiny_families import family
from tiny_models import ARCHITECTURES, tiny

torch.set_num_threads(1)


@pytest.fixture(params=ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> torch.nn.Module:
    return tiny(request.param)


IDS = torch.tensor([[5, 9, 11, 2, 40, 7], [1, 2, 3, 4, 5, 6]])


@torch.inference_mode()
def test_reading_equals_hidden_states_except_for_the_final_norm(model: torch.nn.Module) -> None:
    assert len(blocks_of(model)) == 3 and width_of(model) == 32
    with read_blocks(model, range(3)) as seen:
        states = model(input_ids=IDS, output_hidden_states=True).hidden_states
    for layer in (0, 1):
        assert torch.equal(seen[layer], states[layer + 1])
    assert not torch.allclose(seen[2], states[3], atol=1e-3)


@torch.inference_mode()
def test_adding_moves_logits_and_zero_is_the_identity(model: torch.nn.Module) -> None:
    plain = model(input_ids=IDS).logits
    delta = torch.zeros(2, 1, 32)
    additions: dict[int, torch.Tensor | None] = {1: delta}
    with add_to_blocks(model, additions):
        assert torch.equal(model(input_ids=IDS).logits, plain)
        # not along the ones: a layer norm would not see it
        push = torch.arange(32.0) / 8
        additions[1] = torch.stack([torch.zeros(32), push]).unsqueeze(1)
        moved = model(input_ids=IDS).logits
        with read_blocks(model, [1]) as seen:
            model(input_ids=IDS)
    assert torch.equal(moved[0], plain[0])
    assert (moved[1] - plain[1]).abs().max() > 1e-3
    with read_blocks(model, [1]) as before:
        assert torch.equal(model(input_ids=IDS).logits, plain), "hooks must be gone"
    assert torch.allclose(seen[1][1] - before[1][1], push.expand(6, 32), atol=1e-5)


@torch.inference_mode()
def test_changing_replaces_what_a_block_gives_or_leaves_it(model: torch.nn.Module) -> None:
    plain = model(input_ids=IDS).logits
    with change_blocks(model, {0: lambda hidden: None, 2: lambda hidden: None}):
        assert torch.equal(model(input_ids=IDS).logits, plain)
    with read_blocks(model, [1]) as before, change_blocks(model, {1: torch.neg}), read_blocks(model, [1]) as after:
        assert (model(input_ids=IDS).logits - plain).abs().max() > 1e-3
    assert torch.equal(after[1], -before[1])
    assert torch.equal(model(input_ids=IDS).logits, plain), "hooks must be gone"


def test_wrong_layer_and_unknown_architecture() -> None:
    with pytest.raises(InputError, match="layer 3 does not exist"), read_blocks(tiny("llama"), [3]):
        pass
    with pytest.raises(InputError, match="Linear: decoder blocks were not found"):
        blocks_of(torch.nn.Linear(2, 2))
    with pytest.raises(InputError, match="layer 3 does not exist"), change_blocks(tiny("llama"), {3: torch.neg}):
        pass


def test_blocks_with_several_residual_streams_are_refused_by_name() -> None:
    # told from the config alone, before there are weights
    with pytest.raises(InputError, match="Gemma3nForCausalLM: its blocks do not give one residual stream"):
        blocks_of(family("gemma3n_text"))
    model = tiny("llama")
    check_blocks(model)
    blocks_of(model)[2].register_forward_hook(lambda module, args, output: output.unsqueeze(0))
    with pytest.raises(InputError, match="LlamaForCausalLM: its blocks do not give one residual stream"):
        check_blocks(model)
