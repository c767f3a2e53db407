"""Ten lines that steer with exported vectors and plain transformers, written for a model and for how it was asked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from sociolect.export.cards import render
from sociolect.export.kit import Kit
from sociolect.lm.document_prompts import DocumentPrompts, read_document_prompts
from sociolect.lm.hooks import blocks_of
from sociolect.lm.prompts import Prompts, read_prompts
from sociolect.models.loading import load_config

__all__ = ["steering_code"]

# by positions; in each pass after the first there is one token, which was generated
_HOOKS = {
    "all": "output + vector",
    "last": "torch.cat([output[:, :-1], output[:, -1:] + vector], dim=1)",
    "generated": "output + vector if output.shape[1] == 1 else None",
}


def steering_code(template: Path, kit: Kit, model: str, vectors: str, group: str, question: str) -> str | None:
    """The program; None where the vectors are not simply added.

    Args:
        template: steer_plainly.py.j2.
        kit: of the run or export.
        model: name or folder of the model, as the program shall have it.
        vectors: path of groups.safetensors, as the program shall have it.
        group: target group.
        question: what it asks.
    """
    recipe = kit.recipe
    if recipe.choice.mode != "add":
        return None
    read = read_prompts if recipe.style == "chat" else read_document_prompts
    prompts: Prompts | DocumentPrompts = read(kit.prompts)
    stop = prompts.stop if isinstance(prompts, DocumentPrompts) else ()
    return render(
        template,
        model=_literal(model),
        vectors=_literal(vectors),
        group=_literal(group),
        question=_literal(prompts.question_prompt.replace("{question}", question)),
        stop=_literal("|".join(map(re.escape, stop))),
        style=recipe.style,
        blocks=_path_of_blocks(kit.model),
        hook=_HOOKS[recipe.choice.positions],
        max_new_tokens=recipe.max_new_tokens,
    )


def _literal(text: str) -> str:
    """The text as a program writes it, in double quotes; an escape of JSON for what lies beyond 16 bits is none."""
    return json.dumps(text, ensure_ascii=False)


def _path_of_blocks(folder: Path) -> str:
    """Where a model has its blocks, such as model.layers."""
    # without memory, however large it is
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(load_config(folder))
    blocks = blocks_of(model)
    return next(name for name, module in model.named_modules() if module is blocks)
