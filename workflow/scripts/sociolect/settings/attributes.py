"""Style attributes: sentences about answers, and the catalogue made of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sociolect.settings.base import BACKENDS, Positive, Share, Stage, UserPath
from sociolect.settings.server import ServerSettings


class DescriptionSettings(Stage):
    """Describing answers in sentences 'The author uses X.'"""

    describer: Literal["llm", "stylometry"] = Field(
        "llm", description="Who describes: a language model, or measured rates."
    )
    n_answers: Positive = Field(5000, description="Train answers described, balanced over groups.")
    n_heldout: Positive = Field(
        600, description="Answers of val and of test each, to judge SFAM on texts it never saw."
    )
    backend: Literal["transformers", "vllm", "server"] = Field(
        "transformers",
        description=f"llm: the sentences. {BACKENDS} Or server: that of the next key, and no model is loaded.",
    )
    server: ServerSettings | None = Field(None, description="backend server: an OpenAI-compatible server; see above.")
    guided: bool = Field(
        True,
        description="llm with vLLM: decoding is held to lines 'The author uses X.', so that every one can be read.",
    )
    quantile: float = Field(
        0.7,
        gt=0.5,
        lt=1,
        description="stylometry: an attribute is said of the answers above this train quantile.",
    )
    prompt_file: UserPath = Field("workflow/prompts/describe.yaml", description="llm: open and targeted questions.")
    batch_tokens: Positive = Field(8192, description="llm: token budget of a batch, prompt and output together.")
    max_new_tokens: Positive = Field(200, description="llm: output limit per prompt.")
    max_prompt_chars: Positive = Field(4000, description="llm: longer answers are cut for the prompt.")


class CatalogueSettings(Stage):
    """From sentences to K style attributes."""

    max_chars: Positive = Field(120, description="Longer attributes are rejected.")
    reject_words: tuple[str, ...] = Field(
        ("avoids", "avoid", "mentions", "mention", "quotes", "quote"),
        description="Attributes with one of these words are rejected.",
    )
    min_share: Share = Field(0.01, description="Rejected if fewer of the described authors have it.")
    max_share: Share = Field(0.60, description="Rejected if more of the described authors have it.")
    near_duplicate: float = Field(
        0.8, gt=0, le=1, description="Cosine of character n-grams above which the rarer one goes."
    )
    max_attributes: int = Field(768, ge=2, description="The most frequent ones are kept.")
