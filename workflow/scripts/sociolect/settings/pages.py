"""The pages of a run: what they need of the config."""

from __future__ import annotations

from pydantic import Field

from sociolect.settings.base import Experiment, Name, Stage
from sociolect.settings.evaluation import EvaluationSettings
from sociolect.settings.models import ModelsSettings


class ReportSettings(Stage):
    """What the report says of the run: a part of the config, not a section of it."""

    run: Name = Field(description="Name of the run.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="The experiments, in the config's order.")
    models: ModelsSettings | None = Field(None, description="The two models, to be named in the header.")
    evaluation: EvaluationSettings = Field(
        default_factory=EvaluationSettings, description="The level of the intervals, to be named beside them."
    )


class ExplorerSettings(Stage):
    """What the explorer says of the run: a part of the config, not a section of it."""

    run: Name = Field(description="Name of the run.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="The experiments, in the config's order.")
    evaluation: EvaluationSettings
