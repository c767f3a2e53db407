"""The questions that a describer asks a language model, as their file has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sociolect.settings.faults import read_checked

__all__ = ["ANSWER", "DescriptionPrompt", "DescriptionPrompts", "cut_text", "read_description_prompts"]

ANSWER = "{answer}"


class DescriptionPrompt(BaseModel):
    """One question about an answer; `text` holds {answer}, and {task} where the common wording goes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: Literal["open", "targeted"]
    text: str


class DescriptionPrompts(BaseModel):
    """A versioned set of questions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(ge=1)
    system: str | None = None
    task: str = ""
    prompts: tuple[DescriptionPrompt, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _slots(self) -> DescriptionPrompts:
        ids = [prompt.id for prompt in self.prompts]
        if len(set(ids)) < len(ids):
            raise ValueError(f"two prompts have the id {next(i for i in ids if ids.count(i) > 1)!r}")
        for prompt in self.prompts:
            if prompt.text.replace("{task}", self.task).count(ANSWER) != 1:
                raise ValueError(f"the text of prompt {prompt.id!r} must contain {ANSWER} exactly once")
        return self

    def user_turn(self, prompt: DescriptionPrompt, answer: str) -> str:
        """The question about this answer. Braces in the answer are text."""
        return prompt.text.replace("{task}", self.task.strip()).replace(ANSWER, answer).strip()

    def prompt_id(self, prompt: DescriptionPrompt) -> str:
        """Id with version, for the provenance."""
        return f"{prompt.id}@{self.version}"


def read_description_prompts(path: Path) -> DescriptionPrompts:
    """Read workflow/prompts/describe.yaml.

    A file of conditions is taken, too: its `description_prompt` is the one question that a model from scratch was
    taught to answer.

    Raises:
        InputError: no such file, not YAML, or a key is missing, unknown or wrong.
    """
    return read_checked(Path(path), DescriptionPrompts, "description.prompt_file", _taught)


def cut_text(text: str, max_chars: int) -> str:
    """The text's beginning, cut between words where there is a space in the last fifth."""
    if len(text) <= max_chars:
        return text
    head = text[:max_chars]
    space = max(head.rfind(" "), head.rfind("\n"))
    return head[:space] if space >= 0.8 * max_chars else head


def _taught(keys: dict[str, Any]) -> dict[str, Any]:
    if "description_prompt" not in keys:
        return keys
    return {"version": 1, "prompts": [{"id": "taught", "kind": "open", "text": keys["description_prompt"]}]}
