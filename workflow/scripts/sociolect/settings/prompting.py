"""How the language model is asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sociolect.settings.base import Stage


class PromptSettings(Stage):
    """How the language model is asked."""

    style: Literal["chat", "document"] | None = Field(
        None, description="A chat, or a document for a base model; null: chat where the tokenizer has a template."
    )
    document_file: str = Field(
        "workflow/prompts/document.yaml",
        description="Wording and stop strings of documents; that of chats is generation.prompt_file.",
    )
