"""Attribute vectors, group vectors, and the choice of strength and layers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sociolect.settings.base import BACKENDS, BackendName, Positive, Share, Stage
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


class SteeringSettings(Stage):
    """Group vectors."""

    statistic: Literal["style", "mean", "usage"] = Field("style", description="Profile that the weights are made of.")
    transform: Literal["raw", "centred", "z"] = Field(
        "centred", description="Of the profile, over groups, before the softmax."
    )
    n_eff: float = Field(8.0, ge=1, description="Effective number of attributes that the temperature is calibrated to.")
    methods: tuple[Literal["all", "distinctive"], ...] = Field(("all", "distinctive"), description="Sets tried on val.")


class SweepSettings(Stage):
    """Choice of strength and layers on val."""

    backend: BackendName = Field("transformers", description=f"The answers to val questions. {BACKENDS}")
    alphas: tuple[float, ...] = Field(
        (0.0, 0.05, 0.1, 0.2, 0.4, 0.8), description="Strengths, in units of the median residual norm."
    )
    depths: tuple[float, ...] = Field(
        (0.25, 0.4, 0.5, 0.6, 0.75), description="Relative depths of the single layers tried."
    )
    band: tuple[float, float] | None = Field(
        (0.4, 0.6), description="Relative depths between which all layers are steered at once; null for none."
    )
    refine: Positive | None = Field(
        3,
        description="Every second strength is tried everywhere, the others at this many best pairs of method and "
        "layers; null tries all everywhere.",
    )
    questions_per_group: Positive = Field(8, description="Val questions per group.")
    max_log_perplexity_change: float = Field(0.5, gt=0, description="Fluency guard, two-sided, against alpha = 0.")
    max_repetition: Share = Field(0.3, description="Fluency guard: most repeated 3-grams.")
    positions: Literal["generated", "last", "all"] = Field("generated", description="Where the vector is added.")


class SweepJob(Stage):
    """What `choose_strength` needs: it steers, generates, labels, and tags for labels that are measured."""

    sweep: SweepSettings
    generation: GenerationSettings
    labeling: LabelingSettings
    steering: SteeringSettings
    syntax: SyntaxSettings
