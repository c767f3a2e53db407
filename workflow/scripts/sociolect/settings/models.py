"""The two models: pinned ones of the hub, or tiny ones trained from scratch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from sociolect.settings.base import Positive, Stage


class HubModel(Stage):
    """A model of the hub, pinned."""

    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="Owner and name, such as microsoft/deberta-v3-base.")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$", description="Commit of the model, 40 hex digits.")


# Pinned revisions, so that one word chooses a model.
KNOWN_MODELS = {
    "deberta-v3-base": ("microsoft/deberta-v3-base", "8ccc9b6f36199bec6961081d44eb72fb3f7353f3"),
    "deberta-v3-large": ("microsoft/deberta-v3-large", "64a8c8eab3e352a784c658aef62be1662607476f"),
    "qwen3-8b": ("Qwen/Qwen3-8B", "b968826d9c46dd6066d109eabc6255188de91218"),
}


class ModelsSettings(Stage):
    """Where the two models come from."""

    sfam: HubModel | Literal["scratch"] = Field(
        "scratch",
        description="Base of SFAM: `scratch`, `deberta-v3-base`, `deberta-v3-large`, or repo and revision.",
    )
    lm: HubModel | Literal["scratch"] = Field(
        "scratch", description="The language model: `scratch`, `qwen3-8b`, or repo and revision."
    )
    hub: str = Field(
        "https://huggingface.co", description="Address of the hub, or a folder with <repo>/ snapshots in its place."
    )
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="Type of the language model's weights.")

    @field_validator("sfam", "lm", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if isinstance(value, str) and value in KNOWN_MODELS:
            repo, revision = KNOWN_MODELS[value]
            return {"repo": repo, "revision": revision}
        return value


class ScratchTokenizer(Stage):
    """Tokenizer of a model trained from scratch."""

    kind: Literal["word", "bpe"] = Field("word", description="word: every word of the corpus; bpe: byte-level pieces.")
    vocabulary: Positive = Field(4000, description="Most entries.")


class ScratchSfam(Stage):
    """Tiny DeBERTa, initialized at random."""

    tokenizer: ScratchTokenizer = Field(ScratchTokenizer(), description="Its tokenizer.")
    hidden: Positive = Field(64, description="Width.")
    layers: Positive = Field(2, description="Blocks.")
    heads: Positive = Field(4, description="Attention heads.")
    max_positions: Positive = Field(256, description="Longest input.")


class ScratchLm(Stage):
    """Tiny Llama, trained from scratch on the run's own train part."""

    tokenizer: ScratchTokenizer = Field(ScratchTokenizer(), description="Its tokenizer.")
    hidden: Positive = Field(128, description="Width of the residual stream.")
    layers: Positive = Field(4, description="Blocks.")
    heads: Positive = Field(4, description="Attention heads.")
    steps: Positive = Field(700, description="Optimizer steps.")
    batch_size: Positive = Field(64, description="Chats per step.")
    learning_rate: float = Field(2e-3, gt=0, description="Peak learning rate.")
    max_tokens: Positive = Field(192, description="Longest chat; answers are cut.")
    chats_per_answer: Positive = Field(
        2, description="Chats made of each train answer, each with its own instructions."
    )
    quantile: float = Field(
        0.6, gt=0.5, lt=1, description="Stylometry quantile for the style instructions it is trained on."
    )


class ScratchSettings(Stage):
    """Models trained from scratch."""

    sfam: ScratchSfam = Field(ScratchSfam(), description="The base of SFAM.")
    lm: ScratchLm = Field(ScratchLm(), description="The language model.")
