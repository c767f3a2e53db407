"""Whether a model can be steered, told from its config alone."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from sociolect.common.errors import InputError
from sociolect.lm.hooks import blocks_of
from sociolect.models.loading import load_config

__all__ = ["check_steerable"]


def check_steerable(folder: Path) -> None:
    """Check that a language model has blocks to add to, before its weights are read or fetched in vain.

    Args:
        folder: with the model's config.json.

    Raises:
        InputError: naming the architecture, if it is no causal language model or its blocks are not found; what
            transformers says, if it does not know the config.
    """
    config = load_config(folder)
    try:
        # without memory, however large it is
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
    except (ValueError, KeyError, NotImplementedError, ImportError) as error:
        raise InputError(
            f"models.lm: a model of type {config.model_type} is no language model that can be steered"
        ) from error
    blocks_of(model)
