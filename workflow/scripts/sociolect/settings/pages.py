"""The explorer: what it needs of the config."""

from __future__ import annotations

from pydantic import Field

from sociolect.settings.base import Experiment, Name, Stage
from sociolect.settings.evaluation import EvaluationSettings


class ExplorerSettings(Stage):
    """What the explorer says of the run: a part of the config, not a section of it."""

    run: Name = Field(description="Name of the run.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="The experiments, in the config's order.")
    evaluation: EvaluationSettings
