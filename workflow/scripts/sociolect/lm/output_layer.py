"""The two halves of a causal language model: the decoder, and the output layer over the vocabulary.

With a vocabulary of a quarter of a million the output layer costs more than all blocks together, in time and, where it
runs over every position, in memory. So it is run on the positions whose logits are read, and on no others.
"""

from __future__ import annotations

from typing import Any

import torch

from sociolect.common.errors import InputError

__all__ = ["check_output_layer", "decoder_of", "logits_of", "vocabulary_of"]


def decoder_of(model: Any) -> Any:
    """The part of a causal language model that ends with the final norm; it takes what the model takes."""
    return model.base_model


def vocabulary_of(model: Any) -> int:
    """Number of logits."""
    return int(model.get_output_embeddings().weight.shape[0])


def logits_of(model: Any, hidden: torch.Tensor) -> torch.Tensor:
    """Logits [n, vocabulary] of last hidden states [n, d], as the model itself makes them.

    A strided slice of a batch is made contiguous first: in bfloat16 PyTorch's CPU kernel would copy the whole weight
    once per row.
    """
    config = model.config.get_text_config()
    logits = model.get_output_embeddings()(hidden.contiguous())
    # Gemma 2 and 3; Granite; Cohere
    cap, divisor, factor = (getattr(config, name, None) for name in _SCALES)
    if divisor:
        logits = logits / divisor
    if factor:
        logits = logits * factor
    if cap:
        logits = torch.tanh(logits / cap) * cap
    return logits


_SCALES = ("final_logit_softcapping", "logits_scaling", "logit_scale")


@torch.inference_mode()
def check_output_layer(model: Any) -> None:
    """Refuse a model whose logits are not those of its two halves.

    Raises:
        InputError: they are not finite, it does something else to them, or its parts do not lie where they are
            looked for.
    """
    device = next(model.parameters()).device
    ids = torch.arange(1, 4, device=device).unsqueeze(0)
    whole = model(input_ids=ids, use_cache=False).logits[0].float()
    if not torch.isfinite(whole).all():
        raise InputError("the language model gives probabilities that are not finite; use models.dtype: float32")
    try:
        halves = logits_of(model, decoder_of(model)(input_ids=ids, use_cache=False).last_hidden_state[0]).float()
    except AttributeError:
        halves = torch.full_like(whole, float("nan"))
    if not torch.allclose(whole, halves, rtol=0.02, atol=0.02 * float(whole.abs().max())):
        raise InputError(
            f"{type(model).__name__}: its logits are not those of its output layer alone; choose a model of the "
            "Llama, Qwen, Mistral, Gemma, Phi-3, OLMo2, GPT-NeoX or GPT-2 family"
        )
