"""The eight conditions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sociolect.settings.base import BACKENDS, BackendName, Positive, Stage, UserPath


class GenerationSettings(Stage):
    """The eight conditions."""

    backend: BackendName = Field("transformers", description=f"The answers. {BACKENDS}")
    prompt_file: UserPath = Field("workflow/prompts/conditions.yaml", description="Templates of the eight conditions.")
    wordings_file: UserPath = Field(
        "workflow/prompts/wordings.yaml", description="Other wordings of the instructions, of which val chooses one."
    )
    samples: Positive = Field(3, description="Generations per question, condition and target.")
    questions_per_group: Positive | None = Field(None, description="Test questions per group; null takes all.")
    targets: Literal["own", "drawn", "cross"] = Field(
        "drawn",
        description="own: the group the question was put to; drawn: one other group, too, each in turn; cross: all "
        "other groups, too.",
    )
    examples: int = Field(3, ge=0, description="Example answers of the group in the prompt of `question+examples`.")
    example_chars: Positive = Field(300, description="Longest example, and its question, in characters.")
    max_new_tokens: Positive = Field(256, description="Longest generation, thoughts included.")
    max_question_chars: Positive = Field(2000, description="Longer questions are cut for the prompt.")
    temperature: float = Field(1.0, ge=0, description="0 is greedy.")
    top_p: float = Field(1.0, gt=0, le=1, description="Nucleus.")
    batch_tokens: Positive = Field(16384, description="Token budget of a batch, prompt and output together.")
    buckets: Positive = Field(16, description="Requests are hashed into this many resumable pieces.")
    shards: Positive = Field(1, description="Jobs that share the buckets. A change regenerates nothing.")
