"""Prompts: the wording of the four prompt kinds, and chats, rendered and tokenised once for all backends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date as date_type
from pathlib import Path
from typing import Any

import jinja2
from pydantic import BaseModel, ConfigDict, field_validator

from sociolect.common.errors import InputError
from sociolect.settings.faults import read_checked
from sociolect.settings.prompting import PROMPT_DATE

__all__ = [
    "PROMPT_KINDS",
    "TAUGHT",
    "Prompts",
    "encode_prompt",
    "encode_with_offsets",
    "group_name",
    "has_slot",
    "instructions",
    "read_prompts",
    "render_chat",
    "system_turn",
]

# the unsteered conditions: (says the group, says the style attributes)
PROMPT_KINDS = {
    "question": (False, False),
    "question+group": (True, False),
    "question+attributes": (False, True),
    "question+group+attributes": (True, True),
}


# keys of the same file that models from scratch are taught with
TAUGHT = ("description_prompt", "description_sentence", "description_joiner")


class Prompts(BaseModel):
    """Wording of the turns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group_instruction: str = "You belong to the group {group}."
    attributes_instruction: str = "You use {attribute}."
    system_joiner: str = " "
    question_prompt: str = "{question}"

    @field_validator("group_instruction", "attributes_instruction", "question_prompt")
    @classmethod
    def _has_slot(cls, value: str, info: Any) -> str:
        slot = {"group_instruction": "group", "attributes_instruction": "attribute", "question_prompt": "question"}
        return has_slot(value, slot[info.field_name])


def has_slot(template: str, slot: str) -> str:
    """The template, if it has a place for this.

    Raises:
        ValueError: it has none.
    """
    name = "{" + slot + "}"
    if name not in template:
        raise ValueError(f"must contain {name}")
    return template


def read_prompts(path: Path) -> Prompts:
    """Read workflow/prompts/conditions.yaml.

    Raises:
        InputError: no such file, not YAML, a key is unknown, or a template lacks its slot.
    """
    return read_checked(
        Path(path), Prompts, "generation.prompt_file", lambda keys: {k: v for k, v in keys.items() if k not in TAUGHT}
    )


def group_name(group: str) -> str:
    """A group as it is said in a prompt: underscores become spaces."""
    return group.replace("_", " ")


def system_turn(prompts: Prompts, group: str | None, attributes: Sequence[str]) -> str | None:
    """The system turn: the group, then one sentence per attribute; None if there is nothing to say.

    Braces in names are text, not slots.
    """
    said = [] if group is None else [prompts.group_instruction.replace("{group}", group_name(group))]
    said += [prompts.attributes_instruction.replace("{attribute}", attribute) for attribute in attributes]
    return prompts.system_joiner.join(said) or None


def instructions(prompts: Prompts, kind: str, group: str, attributes: Sequence[str]) -> str | None:
    """The system turn of one of the four prompt kinds; None where it says nothing.

    Args:
        prompts: the wording.
        kind: question, question+group, question+attributes or question+group+attributes.
        group: the target group.
        attributes: the target group's style attributes, each the X of "You use X.".

    Raises:
        InputError: unknown kind, or the kind says attributes and there are none.
    """
    if kind not in PROMPT_KINDS:
        raise InputError(f"unknown prompt kind {kind!r}; use {', '.join(PROMPT_KINDS)}")
    with_group, with_attributes = PROMPT_KINDS[kind]
    if with_attributes and not attributes:
        raise InputError(f"group {group!r} has no style attributes, so {kind!r} does not exist for it")
    return system_turn(prompts, group if with_group else None, attributes if with_attributes else ())


def render_chat(
    tokenizer: Any,
    system: str | None,
    user: str,
    before: Sequence[tuple[str, str]] = (),
    date: date_type = PROMPT_DATE,
) -> str:
    """The chat as text, up to where the assistant begins; turns of user and assistant may lie before.

    A template that refuses or drops a system turn (Gemma) gets it at the head of the first user turn, and one that
    prints the text of lists of parts only gets such lists. A tokenizer without a template gets paragraphs.

    Args:
        tokenizer: of the language model.
        system: the system turn; None for none.
        user: what is asked.
        before: earlier turns.
        date: what the template writes for today.

    Raises:
        InputError: the template fails whatever it is given, or leaves a text out.
    """
    said = [*([] if system is None else [system]), *(text for turn in before for text in turn), user]
    if not getattr(tokenizer, "chat_template", None):
        return "\n\n".join(part for part in said if part) + "\n\n"
    failure, missing = None, ""
    for messages in _forms(system, user, before):
        try:
            text = _apply(tokenizer, messages, date)
        except InputError as error:
            # that of plain turns says most
            failure = failure or error
            continue
        left_out = _left_out(text, messages, said)
        if left_out is None:
            return text
        missing = missing or left_out
    if failure is not None and not missing:
        raise failure
    name = getattr(tokenizer, "name_or_path", "") or "the tokenizer"
    raise InputError(
        f"the chat template of {name} leaves {missing[:60]!r} out of the prompt, given as text and as a list of parts; "
        "choose another model, mend chat_template.jinja in a local folder of it, or write prompts.style: document"
    )


def _forms(system: str | None, user: str, before: Sequence[tuple[str, str]]) -> Iterator[list[dict[str, Any]]]:
    """The messages of a chat in the forms that templates take, the usual ones first."""
    turns = [
        *({"role": r, "content": text} for turn in before for r, text in zip(("user", "assistant"), turn, strict=True)),
        {"role": "user", "content": user},
    ]
    plain = [turns]
    if system is not None:
        first = {"role": "user", "content": f"{system}\n\n{turns[0]['content']}"}
        plain = [[{"role": "system", "content": system}, *turns], [first, *turns[1:]]]
    yield from plain
    for messages in plain:
        yield [{**message, "content": [_part(message["content"])]} for message in messages]


def _part(text: str) -> dict[str, str]:
    """A text as a part of a turn that may hold pictures, too."""
    return {"type": "text", "text": text}


def _left_out(rendered: str, messages: list[dict[str, Any]], said: Sequence[str]) -> str | None:
    """The first of the texts that the template did not print, white space around it aside; None if all are there."""
    for message in messages:
        # a list that is printed as it is, not its text
        if isinstance(message["content"], list) and str(message["content"][0]) in rendered:
            return str(message["content"][0]["text"])
    return next((text for text in said if text.strip() not in rendered), None)


def encode_prompt(tokenizer: Any, text: str, rendered: bool = True) -> list[int]:
    """Token ids of a prompt, with one BOS at most and nothing at the end.

    Args:
        tokenizer: of the language model.
        text: the prompt.
        rendered: the text comes from `render_chat`, whose template writes all special tokens itself; False for
            a bare sentence, which gets a BOS if the model is used to one.

    Raises:
        InputError: nothing is left of the text.
    """
    return encode_with_offsets(tokenizer, text, rendered)[0]


def encode_with_offsets(tokenizer: Any, text: str, rendered: bool = True) -> tuple[list[int], list[tuple[int, int]]]:
    """The same ids, and for each the characters [start, end) that it stands for (empty for an added BOS)."""
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    ids, offsets = list(encoded["input_ids"]), [(int(a), int(b)) for a, b in encoded["offset_mapping"]]
    bos = tokenizer.bos_token_id
    templated = rendered and bool(getattr(tokenizer, "chat_template", None))
    if not templated and bos is not None and _begins_with_bos(tokenizer):
        ids, offsets = [bos, *ids], [(0, 0), *offsets]
    while bos is not None and ids[:2] == [bos, bos]:
        ids, offsets = ids[1:], offsets[1:]
    if not ids:
        raise InputError(f"the prompt {text[:60]!r} has no tokens")
    return ids, offsets


def _begins_with_bos(tokenizer: Any) -> bool:
    """Whether the model's texts begin with a BOS: its tokenizer adds one, or its template writes one."""
    own = tokenizer("a", verbose=False)["input_ids"]
    return own[:1] == [tokenizer.bos_token_id] or "bos_token" in (getattr(tokenizer, "chat_template", None) or "")


def _apply(tokenizer: Any, messages: list[dict[str, Any]], date: date_type) -> str:
    try:
        text = tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=True,
            # models that can think aloud first (Qwen3) would spend the answer's tokens on it; others ignore the key
            enable_thinking=False,
            # in the place of transformers' own, which says the day of the run
            strftime_now=date.strftime,
            # Llama 3's name for the day
            date_string=date.strftime("%d %b %Y"),
        )
        return str(text)
    except (jinja2.TemplateError, ValueError, TypeError) as error:
        raise InputError(f"the tokenizer's chat template fails: {error}") from error
