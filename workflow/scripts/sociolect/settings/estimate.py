"""What a run will take: the budget, and what the probe and the estimate need of all stages."""

from __future__ import annotations

from pydantic import Field

from sociolect.settings.adapters import AdapterSettings
from sociolect.settings.attributes import CatalogueSettings, DescriptionSettings
from sociolect.settings.base import Experiment, Name, Stage
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.labels import LabelingSettings
from sociolect.settings.models import ModelsSettings, ScratchSettings
from sociolect.settings.sfam import DistillationSettings, SfamSettings
from sociolect.settings.steering import ActivationSettings, ReadingSettings, SteeringSettings, SweepSettings
from sociolect.settings.syntax import SyntaxSettings


class EstimateSettings(Stage):
    """What a run will take: the probe of this machine, and the budget."""

    budget_hours: float = Field(200.0, gt=0, description="Machine hours that the run may take.")
    seconds: float = Field(20.0, gt=0, description="Seconds that each stage is timed for, at least.")


class ProbeJob(Stage):
    """What `probe_rates` needs: it does a little of each costly stage."""

    estimate: EstimateSettings
    description: DescriptionSettings
    syntax: SyntaxSettings
    catalogue: CatalogueSettings
    sfam: SfamSettings
    labeling: LabelingSettings
    distillation: DistillationSettings
    scratch: ScratchSettings
    activations: ActivationSettings
    generation: GenerationSettings


class EstimateJob(Stage):
    """What `estimate_cost` needs: all that says how much there is to do."""

    estimate: EstimateSettings
    experiments: dict[Name, Experiment]
    description: DescriptionSettings
    syntax: SyntaxSettings
    catalogue: CatalogueSettings
    sfam: SfamSettings
    labeling: LabelingSettings
    distillation: DistillationSettings
    models: ModelsSettings
    scratch: ScratchSettings
    readings: ReadingSettings
    adapters: AdapterSettings = AdapterSettings()
    steering: SteeringSettings
    sweep: SweepSettings
    generation: GenerationSettings
