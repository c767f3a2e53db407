"""The whole config: its sections, its check, and a stage's part of it as plain values."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from sociolect.common.errors import InputError
from sociolect.common.yaml_files import read_mapping
from sociolect.settings.adapters import AdapterSettings
from sociolect.settings.attributes import CatalogueSettings, DescriptionSettings
from sociolect.settings.base import Experiment, Name, Stage
from sociolect.settings.combinations import combination_faults
from sociolect.settings.corpus import CorpusSettings, DemoSettings, SamplingSettings
from sociolect.settings.embedding import EmbeddingSettings, ProfileSettings, StabilitySettings, TopicSettings
from sociolect.settings.estimate import EstimateSettings
from sociolect.settings.evaluation import EvaluationSettings
from sociolect.settings.faults import Fault, faults_of, names_of, shown_faults
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.labels import LabelingSettings
from sociolect.settings.models import ModelsSettings, ScratchSettings
from sociolect.settings.prompting import PromptSettings
from sociolect.settings.sfam import DistillationSettings, PairSettings, SfamSettings
from sociolect.settings.steering import ActivationSettings, ReadingSettings, SteeringSettings, SweepSettings
from sociolect.settings.study import StudySettings
from sociolect.settings.syntax import SyntaxSettings
from sociolect.settings.vllm import VllmSettings

# a check that takes each key by itself
_EACH_ALONE = "each alone"


class Config(Stage):
    """The whole config file."""

    run: Name = Field(description="Name of the run; everything lands in results/<run>/.")
    seed: int = Field(1, ge=0, description="All randomness follows from it.")
    experiments: dict[Name, Experiment] = Field(min_length=1, description="Name -> fit splits and ask split.")
    group_parents: dict[str, str] = Field({}, description="Group -> parent group; results are given for both levels.")
    corpus: CorpusSettings = Field(CorpusSettings(), description="Import and cleaning.")
    demo: DemoSettings = Field(DemoSettings(), description="The made-up corpus.")
    sampling: SamplingSettings = Field(SamplingSettings(), description="Groups, draws, partition.")
    description: DescriptionSettings = Field(DescriptionSettings(), description="Sentences about answers.")
    syntax: SyntaxSettings = Field(SyntaxSettings(), description="Tagged answers.")
    catalogue: CatalogueSettings = Field(CatalogueSettings(), description="Style attributes.")
    pairs: PairSettings = Field(PairSettings(), description="Training pairs of SFAM.")
    sfam: SfamSettings = Field(SfamSettings(), description="Training of SFAM.")
    labeling: LabelingSettings = Field(LabelingSettings(), description="Style vectors.")
    distillation: DistillationSettings = Field(DistillationSettings(), description="The student of SFAM.")
    embedding: EmbeddingSettings = Field(EmbeddingSettings(), description="The embedding net.")
    profiles: ProfileSettings = Field(ProfileSettings(), description="Group profiles.")
    study: StudySettings = Field(StudySettings(), description="The embedding study.")
    topic: TopicSettings = Field(TopicSettings(), description="Accuracies with the topic held still.")
    stability: StabilitySettings = Field(StabilitySettings(), description="Stability of the group embeddings.")
    models: ModelsSettings = Field(ModelsSettings(), description="The two models.")
    scratch: ScratchSettings = Field(ScratchSettings(), description="Models trained from scratch.")
    prompts: PromptSettings = Field(PromptSettings(), description="How the language model is asked.")
    activations: ActivationSettings = Field(ActivationSettings(), description="Attribute vectors.")
    readings: ReadingSettings = Field(ReadingSettings(), description="What steering methods read of answers.")
    steering: SteeringSettings = Field(SteeringSettings(), description="Group vectors.")
    sweep: SweepSettings = Field(SweepSettings(), description="Strength and layers.")
    generation: GenerationSettings = Field(GenerationSettings(), description="Generation.")
    adapters: AdapterSettings = Field(AdapterSettings(), description="Trained adapters, to compare with.")
    vllm: VllmSettings = Field(VllmSettings(), description="vLLM.")
    evaluation: EvaluationSettings = Field(EvaluationSettings(), description="The comparison.")
    estimate: EstimateSettings = Field(EstimateSettings(), description="What the run will take.")

    @model_validator(mode="after")
    def _goes_together(self, info: ValidationInfo) -> Config:
        # all of them at once: a line each
        faults = [f"{key}: {why}" for key, why in combination_faults(self)] if info.context != _EACH_ALONE else []
        if faults:
            raise PydanticCustomError("combinations", "{lines}", {"lines": "\n".join(faults)})
        return self

    @property
    def backends(self) -> dict[str, str]:
        """Stage that may generate -> its backend; where nothing is generated, the choice of vLLM says nothing."""
        idle = {"description": self.description.describer != "llm", "activations": self.activations.source == "forward"}
        return {
            stage: "transformers" if idle.get(stage) else getattr(self, stage).backend
            for stage in ("description", "activations", "sweep", "generation")
        }

    @property
    def splits(self) -> list[str]:
        """Splits of the run, in the fixed order single, multi, askx."""
        have = {"single", "multi", "askx"} if self.corpus.source == "demo" else set(self.corpus.paths)
        return [s for s in ("single", "multi", "askx") if s in have]


def load_config(values: dict[str, Any], where: str, files: Sequence[Path] = ()) -> Config:
    """Check the values of a config.

    Args:
        values: the keys.
        where: what to call it where no file has the key.
        files: the config files that they come from, the last of which wins; they say the lines.

    Raises:
        InputError: a line for each fault: file, line, key, what is wrong with it and what to write instead.
    """
    config, faults = check_config(values)
    if config is None:
        raise InputError("\n".join(shown_faults(faults, where, files)))
    return config


def read_config(path: Path) -> Config:
    """Read and check a config file.

    Raises:
        InputError: it is not YAML as it should be, or see `load_config`.
    """
    return load_config(read_mapping(path), str(path), [path])


def check_config(values: dict[str, Any]) -> tuple[Config | None, list[Fault]]:
    """The config, where nothing is wrong with it, and all that is wrong."""
    config, faults = settle_config(values)
    return (None if faults else config), faults


def settle_config(values: dict[str, Any]) -> tuple[Config | None, list[Fault]]:
    """All that is wrong with a config, and what is left of it: what is wrong has its default, or a stand-in.

    Where a default does not go together with what is written, both stay. None is left where nothing could stand in.
    """
    faults: dict[tuple[str, ...], Fault] = {}
    left, combined = copy.deepcopy(values), False
    while True:
        try:
            config = Config.model_validate(left)
        except ValidationError as error:
            gone: list[Sequence[str]] = []
            for problem in error.errors():
                names, found = tuple(names_of(problem, Config)), list(faults_of(problem, Config))
                together = problem["type"] == "combinations"
                gone += [fault.names for fault in found] if together else [names]
                # what is left where a key was left out, and what stands in for one, have no faults of their own
                if together and combined:
                    continue
                if problem["type"] in ("missing", "model") and any(known[: len(names)] == names for known in faults):
                    continue
                stand_ins = {known[:1] for known in faults if known[0] in _STAND_INS}
                faults |= {f.names: f for f in found if f.names not in faults and f.names[:1] not in stand_ins}
                combined = combined or together
            if not any([_leave_out(left, names) for names in gone]):
                alone = all(problem["type"] == "combinations" for problem in error.errors())
                return Config.model_validate(left, context=_EACH_ALONE) if alone else None, list(faults.values())
        else:
            return config, list(faults.values())


# keys without a default
_STAND_INS = ("run", "experiments")


def _stand_in(values: dict[str, Any], name: str) -> Any:
    """What a key without a default has in its stead."""
    if name == "run":
        return "run"
    corpus = values.get("corpus")
    paths = corpus.get("paths") if isinstance(corpus, dict) else None
    split = next(iter(paths), "single") if isinstance(paths, dict) else "single"
    return {"main": {"fit": [split], "ask": split}}


def _leave_out(values: dict[str, Any], names: Sequence[str]) -> bool:
    """Take the key at fault out, so that its default is checked with the others; whether that changed anything."""
    if names and names[0] in _STAND_INS:
        stands = _stand_in(values, names[0])
        changed = values.get(names[0]) != stands
        values[names[0]] = stands
        return bool(changed)
    here = values
    for number, name in enumerate(names):
        if name not in here:
            return False
        # an item of a list goes with the list
        if number + 1 == len(names) or not isinstance(here[name], dict):
            del here[name]
            return True
        here = here[name]
    return False


def section(config: Config, *names: str, only: dict[str, set[str]] | set[str] | None = None) -> dict[str, Any]:
    """A stage's section as plain values; with several names, one dict per name.

    Args:
        config: checked config.
        names: sections.
        only: keys to keep; with several sections, by section (a section that is not named is kept whole).
    """
    if len(names) == 1 and not isinstance(only, dict):
        return dict(getattr(config, names[0]).model_dump(mode="json", include=only))
    values = config.model_dump(mode="json", include=set(names))
    keep = only if isinstance(only, dict) else {}
    return {n: {k: v for k, v in values[n].items() if k in keep[n]} if n in keep else values[n] for n in names}
