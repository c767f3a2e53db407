"""The comparison and the report."""

from __future__ import annotations

from pydantic import Field

from sociolect.settings.base import Positive, Stage
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.syntax import SyntaxSettings


class EvaluationSettings(Stage):
    """The comparison table."""

    resamples: int = Field(2000, ge=100, description="Paired cluster bootstrap over questions.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of the intervals.")
    sentence_model: str | None = Field(
        None, description="Local folder of a sentence model for one more judge; null for none."
    )
    examples: Positive = Field(2, description="Texts per group that are shown side by side, drawn by hash.")
    tie_tolerance: float = Field(1e-9, ge=0, description="Distances closer than this are a tie.")


class JudgeJob(Stage):
    """What `fit_judges` and `judge_answers` need: the length of generations, and who tags."""

    evaluation: EvaluationSettings
    generation: GenerationSettings
    syntax: SyntaxSettings
