"""How the language model is asked."""

from __future__ import annotations

from datetime import date as date_type
from typing import Literal

from pydantic import Field

from sociolect.settings.base import Stage, UserPath

# no template may see the day of the run: one that runs over midnight would mix two prompts
PROMPT_DATE = date_type(2025, 1, 1)


class PromptSettings(Stage):
    """How the language model is asked."""

    style: Literal["chat", "document"] | None = Field(
        None, description="A chat, or a document for a base model; null: chat where the tokenizer has a template."
    )
    document_file: UserPath = Field(
        "workflow/prompts/document.yaml",
        description="Wording and stop strings of documents; that of chats is generation.prompt_file.",
    )
    date: date_type = Field(
        PROMPT_DATE, description="What chat templates that write today's date write instead, YYYY-MM-DD."
    )
