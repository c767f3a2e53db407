"""Adapters: what people would do instead of steering where they can train."""

from __future__ import annotations

from pydantic import Field

from sociolect.settings.base import Positive, Stage
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.steering import SteeringSettings


class AdapterSettings(Stage):
    """A small adapter of the language model per group, trained on the group's train answers."""

    enabled: bool = Field(
        False, description="Train them, and answer with them in a row below the line: for a GPU, or a tiny model."
    )
    rank: Positive = Field(8, description="Rank of the adapter's matrices (LoRA).")
    steps: Positive = Field(200, description="Optimizer steps per group.")
    batch_size: Positive = Field(8, description="Answers of a step.")
    learning_rate: float = Field(1e-3, gt=0, description="Of AdamW, falling to 0.")
    max_tokens: Positive = Field(256, description="Longest prompt and answer together; longer ones are cut.")


class AdapterJob(Stage):
    """What `answer_adapted` needs."""

    adapters: AdapterSettings
    generation: GenerationSettings


class PlanJob(Stage):
    """What `plan_requests` needs: the conditions, and which attributes a group's prompts name."""

    generation: GenerationSettings
    steering: SteeringSettings
    adapters: AdapterSettings
