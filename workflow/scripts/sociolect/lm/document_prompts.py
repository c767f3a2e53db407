"""Documents: what a base model, which knows no turns, is given to complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from sociolect.lm.prompts import Prompts, has_slot
from sociolect.settings.faults import read_checked

__all__ = ["DocumentPrompts", "document", "encode_document", "read_document_prompts", "spaced"]

PARAGRAPH = "\n\n"


class DocumentPrompts(Prompts):
    """Wording of documents and the strings that end what completes them."""

    group_instruction: str = "The following answer was written by a member of the group {group}."
    question_prompt: str = "Question: {question}\nAnswer:"
    stop: tuple[str, ...] = Field(("Question:",), min_length=1)
    describer_prompt: str = "{request}\n\nSentences:\n"
    describer_stop: tuple[str, ...] = Field(("\n\n",), min_length=1)

    @field_validator("describer_prompt")
    @classmethod
    def _has_request(cls, value: str) -> str:
        return has_slot(value, "request")

    @field_validator("stop", "describer_stop")
    @classmethod
    def _says_something(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # the empty string is in every text
        if "" in value:
            raise ValueError("a stop string must not be empty")
        return value


def read_document_prompts(path: Path) -> DocumentPrompts:
    """Read workflow/prompts/document.yaml.

    Raises:
        InputError: no such file, not YAML, a key is unknown, a template lacks its slot, or a stop string is empty.
    """
    return read_checked(Path(path), DocumentPrompts, "prompts.document_file")


def document(header: str | None, body: str) -> str:
    """The header and the body, a blank line between them; the body alone where there is nothing to say before it."""
    return PARAGRAPH.join(part for part in (header, body) if part)


def encode_document(tokenizer: Any, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Token ids, and for each the characters [start, end) that it stands for (none for the BOS).

    BOS comes first and nowhere else, whether the tokenizer adds one, two or none, and whether the text holds some.
    """
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    bos = tokenizer.bos_token_id
    pairs = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
    kept = [(int(token), (int(start), int(end))) for token, (start, end) in pairs if token != bos]
    if bos is not None:
        kept = [(int(bos), (0, 0)), *kept]
    return [token for token, _ in kept], [span for _, span in kept]


def spaced(prompt: str, text: str) -> str:
    """Prompt and what completes it, parted by one space or by the white space that the prompt ends in."""
    return prompt + ("" if prompt[-1:].isspace() else " ") + text
