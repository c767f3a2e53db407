"""What a model keeps of the tokens that it has read: going on from it, and which rows of a batch it keeps.

Attention keeps keys and values of every token, and a mask hides those of padding. Recurrent layers (Mamba, gated delta
rules, short convolutions) keep one state per row, into which padding must not go; transformers sees to that in some
architectures and configs only.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from sociolect.common.errors import InputError
from sociolect.lm.output_layer import decoder_of

__all__ = ["check_cache", "new_cache", "pads", "read_on", "select_rows"]

# recurrent ones that leave padding out of their states, and that go on by several tokens at once
_LEAVE_PADDING_OUT = {
    "bamba", "falcon_h1", "granitemoehybrid", "kimi_linear", "lfm2", "lfm2_moe", "mamba2", "nemotron_h",
    "olmo_hybrid", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next", "zamba", "zamba2", "zaya",
}  # fmt: skip
# what makes numbers of padding that was zeroed: a bias before the state
_BIASES = ("add_bias_linear", "conv_bias", "mamba_proj_bias", "use_bias")


def new_cache(model: Any) -> Any:
    """A cache in which nothing is, yet."""
    return DynamicCache(config=model.config)


def pads(model: Any) -> bool:
    """Whether a prompt that is padded on the left is read as it would be alone, and several tokens can follow it."""
    config = model.config.get_text_config()
    if all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in new_cache(model).layers):
        return True
    return config.model_type in _LEAVE_PADDING_OUT and not any(getattr(config, name, False) for name in _BIASES)


def read_on(model: Any, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor, cache: Any) -> torch.Tensor:
    """Last hidden states [rows, tokens, d] of tokens that follow those of the cache, into which they go.

    Args:
        model: a causal language model.
        ids: [rows, tokens].
        mask: of the tokens before and of these, [rows, all tokens].
        positions: [rows, tokens].
        cache: of the tokens before.
    """
    decoder = decoder_of(model)
    if "cache_params" in inspect.signature(decoder.forward).parameters:
        # Mamba has no positions, and takes the mask of these tokens alone
        return decoder(
            input_ids=ids, attention_mask=mask[:, -ids.shape[1] :], cache_params=cache, use_cache=True
        ).last_hidden_state
    return decoder(
        input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
    ).last_hidden_state


def select_rows(cache: Any, rows: torch.Tensor) -> None:
    """Go on with these rows, each as often as it is named."""
    # as for beams: batch_select_indices leaves recurrent states out, or is missing where there are such
    cache.reorder_cache(rows)


@torch.inference_mode()
def check_cache(model: Any) -> None:
    """Refuse a model that does not go on from rows of its cache as if it had read all their tokens.

    Raises:
        InputError: naming the architecture.
    """
    device = next(model.parameters()).device
    ids = torch.arange(1, 7, device=device).view(2, 3)
    rows = torch.tensor([1, 0, 1], device=device)
    ones, places = torch.ones_like(ids), torch.arange(3, device=device).expand(2, 3)
    whole, alone = (
        decoder_of(model)(input_ids=tokens, use_cache=False).last_hidden_state[:, -1].float()
        for tokens in (ids[rows], ids[rows, 2:])
    )
    try:
        cache = new_cache(model)
        read_on(model, ids[:, :2], ones[:, :2], places[:, :2], cache)
        select_rows(cache, rows)
        found = read_on(model, ids[rows, 2:], ones[rows], places[rows, 2:], cache)[:, -1].float()
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"{_refused(model)} ({reason}); {_REMEDY}") from error
    # what rounding changes is little beside what the tokens before do, if they do anything
    if not (found - whole).norm() <= 0.5 * (alone - whole).norm() + 1e-3 * whole.norm():
        raise InputError(f"{_refused(model)}; {_REMEDY}")


_REMEDY = "choose a model of another family, such as Llama, Qwen, Mistral, Gemma, Granite or LFM2"


def _refused(model: Any) -> str:
    return f"{type(model).__name__}: it does not go on from some rows of its cache"
