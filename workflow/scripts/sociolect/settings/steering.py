"""Attribute vectors, group vectors, and the choice of strength and layers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from sociolect.settings.base import BACKENDS, BackendName, Positive, Share, Stage, in_order
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.labels import LabelingSettings
from sociolect.settings.syntax import SyntaxSettings


class ActivationSettings(Stage):
    """Attribute vectors."""

    backend: BackendName = Field(
        "transformers", description="greedy and sampled: who generates; activations are read with transformers."
    )
    role: Literal["raw", "system", "user"] = Field(
        "system", description="'You use X.' alone, or in this turn of the chat."
    )
    token: Literal["last", "mean"] = Field(
        "last", description="Last content token of X, or the mean over the tokens of X."
    )
    source: Literal["forward", "greedy", "sampled"] = Field(
        "forward", description="Read the sentence, or generated tokens after it."
    )
    samples: Positive = Field(4, description="sampled: generations per attribute.")
    max_new_tokens: Positive = Field(32, description="greedy and sampled: generated tokens that are averaged.")
    contrast: Literal["centred", "neutral", "raw"] = Field(
        "centred", description="Minus the mean over attributes, minus a neutral sentence, or as it is."
    )
    neutral: str = Field("You write a text.", description="The neutral sentence.")
    request: str = Field("Write a short text.", description="role system: the user turn after the sentence.")
    batch_tokens: Positive = Field(8192, description="Token budget of a batch.")


class ReadingSettings(Stage):
    """What methods read of the groups' train answers, block by block."""

    answers_per_group: int = Field(128, ge=2, description="Train answers that are read, drawn by hash.")
    pairs_per_group: Positive = Field(
        32, description="Of these, questions that the model answers itself, or is prompted for, for differences."
    )
    max_tokens: Positive = Field(96, description="Answers are read to this length.")
    folds: int = Field(8, ge=2, description="Parts that means are kept of, for shuffled labels and the forecast.")
    batch_tokens: Positive = Field(8192, description="Token budget of a batch.")


Method = Literal[
    "all",
    "distinctive",
    "mean_difference",
    "content_free",
    "topic_free",
    "own_answer",
    "prompt_difference",
    "adaptive",
    "rotated",
]
# more than an addition: a function of the hidden state, which vLLM's slots cannot hold
OF_THE_STATE: tuple[Method, ...] = ("adaptive", "rotated")


class SteeringSettings(Stage):
    """Group vectors."""

    statistic: Literal["style", "mean", "usage"] = Field("style", description="Profile that the weights are made of.")
    transform: Literal["raw", "centred", "z"] = Field(
        "centred", description="Of the profile, over groups, before the softmax."
    )
    n_eff: float = Field(8.0, ge=1, description="Effective number of attributes that the temperature is calibrated to.")
    named: Positive | None = Field(
        None, description="Attributes of a group that its prompts name, the heaviest; null: as many as n_eff."
    )
    methods: tuple[Method, ...] = Field(
        ("all", "distinctive", "mean_difference", "content_free", "topic_free", "own_answer", "prompt_difference"),
        min_length=1,
        description="Ways of making a group's vector, each tried on val (docs/extending.md). adaptive and rotated "
        "need the transformers backend.",
    )


Position = Literal["generated", "last", "all"]
StyleJudge = Literal["sfam", "measured", "ngrams"]


class SweepSettings(Stage):
    """Choice of method, strength and layers on val."""

    backend: BackendName = Field("transformers", description=f"The answers to val questions. {BACKENDS}")
    alphas: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0.0, 0.03, 0.06, 0.1, 0.2, 0.4), description="Strengths, in units of the median residual norm."
    )
    depths: tuple[Share, ...] = Field(
        (0.25, 0.4, 0.5, 0.6, 0.75), description="Relative depths of the single layers tried."
    )
    band: tuple[Share, Share] | None = Field(
        (0.4, 0.6), description="Relative depths between which all layers are steered at once; null for none."
    )
    positions: tuple[Position, ...] = Field(
        ("last",), min_length=1, description="Where the vector is added; several are all tried."
    )
    questions_per_group: Positive = Field(8, description="Val questions per group that the best are tried on.")
    halvings: int = Field(
        2,
        ge=0,
        description="Successive halving: all settings are tried on a part of the questions, the better half of them "
        "on twice as many, so many times.",
    )
    judges: tuple[StyleJudge, ...] = Field(
        ("sfam", "measured", "ngrams"), min_length=1, description="Judges of style whose mean the choice maximizes."
    )
    max_log_perplexity_change: float = Field(0.5, gt=0, description="Fluency guard, two-sided, against alpha = 0.")
    max_repetition: Share = Field(0.3, description="Fluency guard: most repeated 3-grams.")
    max_topic_loss: float = Field(
        0.1, ge=0, description="Guard of the topic: most that the topic probe's share may fall on cross targets."
    )

    @field_validator("alphas")
    @classmethod
    def _some_strength(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not any(value):
            raise ValueError("there is no strength above 0; add one, such as 0.06")
        return value

    @field_validator("band")
    @classmethod
    def _from_low_to_high(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        return value if value is None else in_order(value)

    @model_validator(mode="after")
    def _some_layer(self) -> SweepSettings:
        if not self.depths and self.band is None:
            raise ValueError("depths and band are both empty; name at least one")
        return self

    @field_validator("positions", mode="before")
    @classmethod
    def _one_is_enough(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class ReadingJob(Stage):
    """What `read_answers` needs: it reads what the methods ask for, and generates for some of them."""

    readings: ReadingSettings
    steering: SteeringSettings
    generation: GenerationSettings


class UnsteeredJob(Stage):
    """What `answer_unsteered` needs: it asks the val questions."""

    sweep: SweepSettings
    generation: GenerationSettings


class SweepJob(Stage):
    """What `try_method` needs: it steers, generates, labels, and tags for labels that are measured."""

    sweep: SweepSettings
    generation: GenerationSettings
    labeling: LabelingSettings
    syntax: SyntaxSettings


class WordingJob(SweepJob):
    """What `choose_wording` needs: it tries prompts as the sweep tries vectors."""

    steering: SteeringSettings
