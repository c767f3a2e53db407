"""Other wordings of the instructions, as their file has them."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from sociolect.lm.prompts import has_slot
from sociolect.settings.base import Stage
from sociolect.settings.faults import read_checked

__all__ = ["Instructions", "read_wordings"]


class Instructions(Stage):
    """Wording of the instructions of a prompt."""

    group_instruction: str = Field(description="With {group}.")
    attributes_instruction: str = Field(description="With {attribute}.")

    @field_validator("group_instruction")
    @classmethod
    def _group(cls, value: str) -> str:
        return has_slot(value, "group")

    @field_validator("attributes_instruction")
    @classmethod
    def _attribute(cls, value: str) -> str:
        return has_slot(value, "attribute")


class _File(Stage):
    wordings: tuple[Instructions, ...]


def read_wordings(path: Path) -> tuple[Instructions, ...]:
    """Read workflow/prompts/wordings.yaml.

    Raises:
        InputError: no such file, not YAML, a key is unknown, or a wording lacks its slot.
    """
    return read_checked(Path(path), _File, "generation.wordings_file").wordings
