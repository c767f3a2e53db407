"""Reading and changing the residual stream at the output of transformer blocks.

Both happen at the same place, a forward hook on block l: transformers' hidden_states of the last block has the
final norm applied and is not what a vector can be added to. In vLLM's workers it is done by steering_slots.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from sociolect.common.errors import InputError

__all__ = ["add_to_blocks", "blocks_of", "change_blocks", "check_blocks", "read_blocks", "width_of"]

# where the block list is: Llama, Qwen, Mistral, Gemma, Granite, LFM2 | GPT-NeoX | GPT-2 | Mamba | multimodal wrappers
_PATHS = (
    "model.layers",
    "gpt_neox.layers",
    "transformer.h",
    "backbone.layers",
    "model.language_model.layers",
    "language_model.layers",
)
# what a config calls the number of residual streams: Gemma 3n | DeepSeek 4 | Qwen 4
_STREAMS = ("altup_num_inputs", "hc_mult", "hc_count")
Select = Callable[[torch.Tensor], torch.Tensor]
Change = Callable[[torch.Tensor], torch.Tensor | None]


def blocks_of(model: nn.Module) -> nn.ModuleList:
    """The decoder blocks of a causal language model, in order.

    Raises:
        InputError: the architecture has no list of blocks at a known place, or its blocks give several streams.
    """
    if any((getattr(_config(model), name, None) or 1) > 1 for name in _STREAMS):
        raise _several(model)
    for path in _PATHS:
        found: Any = model
        for name in path.split("."):
            found = getattr(found, name, None)
        if isinstance(found, nn.ModuleList) and len(found):
            return found
    raise InputError(
        f"{type(model).__name__}: decoder blocks were not found at {', '.join(_PATHS)}; choose a model of the "
        "Llama, Qwen, Mistral, Gemma, Phi-3, OLMo2, GPT-NeoX or GPT-2 family"
    )


@torch.inference_mode()
def check_blocks(model: nn.Module) -> None:
    """Refuse a model whose blocks do not give one residual stream, which could be read and added to.

    Raises:
        InputError: naming the architecture.
    """
    ids = torch.arange(1, 4, device=next(model.parameters()).device).unsqueeze(0)
    with read_blocks(model, range(len(blocks_of(model)))) as seen:
        model(input_ids=ids, use_cache=False)
    if any(tuple(hidden.shape) != (1, 3, width_of(model)) for hidden in seen.values()):
        raise _several(model)


def width_of(model: Any) -> int:
    """Width d of the residual stream."""
    return int(model.config.get_text_config().hidden_size)


@contextmanager
def read_blocks(
    model: nn.Module, layers: Sequence[int], select: Select | None = None
) -> Iterator[dict[int, torch.Tensor]]:
    """Collect block outputs of the latest forward pass.

    Args:
        model: a causal language model.
        layers: blocks to read, from 0.
        select: applied to each output [batch, tokens, d] at once, so that not all of it is kept.

    Yields:
        dict layer -> output [batch, tokens, d] (or what `select` makes of it), filled by each forward pass.
    """
    blocks, seen = blocks_of(model), dict[int, torch.Tensor]()
    _check_layers(layers, len(blocks))

    def reader(layer: int) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            hidden = _hidden(output).detach()
            seen[layer] = hidden if select is None else select(hidden)

        return hook

    handles = [blocks[layer].register_forward_hook(reader(layer)) for layer in layers]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def add_to_blocks(model: nn.Module, additions: Mapping[int, torch.Tensor | None]) -> Iterator[None]:
    """Add to block outputs while the context is open.

    Args:
        model: a causal language model.
        additions: layer -> tensor that broadcasts to [batch, tokens, d], or None for nothing. Looked up in every
            forward pass, so that the caller may change the values (not the layers) between passes.
    """

    def adder(layer: int) -> Change:
        def add(hidden: torch.Tensor) -> torch.Tensor | None:
            addition = additions[layer]
            return None if addition is None else hidden + addition.to(device=hidden.device, dtype=hidden.dtype)

        return add

    with change_blocks(model, {layer: adder(layer) for layer in additions}):
        yield


@contextmanager
def change_blocks(model: nn.Module, changes: Mapping[int, Change]) -> Iterator[None]:
    """Change block outputs while the context is open.

    Args:
        model: a causal language model.
        changes: layer -> function from its output [batch, tokens, d] to what takes its place, or to None for no change.

    Raises:
        InputError: a layer that does not exist.
    """
    blocks = blocks_of(model)
    _check_layers(list(changes), len(blocks))

    def changer(change: Change) -> Callable[..., Any]:
        def hook(module: nn.Module, args: Any, output: Any) -> Any:
            changed = change(_hidden(output))
            if changed is None:
                return None
            return (changed, *output[1:]) if isinstance(output, tuple) else changed

        return hook

    handles = [blocks[layer].register_forward_hook(changer(change)) for layer, change in changes.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hidden(output: Any) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output


def _config(model: Any) -> Any:
    config: Any = getattr(model, "config", None)
    return config.get_text_config() if hasattr(config, "get_text_config") else config


def _several(model: nn.Module) -> InputError:
    return InputError(
        f"{type(model).__name__}: its blocks do not give one residual stream [rows, tokens, d], so that nothing can be "
        "added to it; choose another model, such as of the Llama, Qwen 3, Mistral or Gemma 3 family"
    )


def _check_layers(layers: Sequence[int], n_blocks: int) -> None:
    wrong = [layer for layer in layers if not 0 <= layer < n_blocks]
    if wrong:
        raise InputError(f"layer {wrong[0]} does not exist; the model has blocks 0 to {n_blocks - 1}")
