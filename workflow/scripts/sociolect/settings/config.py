"""The whole config: its sections, its check, and a stage's part of it as plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, Field, Tag, ValidationError, model_validator

from sociolect.common.errors import InputError
from sociolect.settings.adapters import AdapterSettings
from sociolect.settings.attributes import CatalogueSettings, DescriptionSettings
from sociolect.settings.base import Experiment, Name, Stage
from sociolect.settings.corpus import CorpusSettings, DemoSettings, SamplingSettings
from sociolect.settings.embedding import EmbeddingSettings, ProfileSettings, StabilitySettings, TopicSettings
from sociolect.settings.estimate import EstimateSettings
from sociolect.settings.evaluation import EvaluationSettings
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.labels import LabelingSettings
from sociolect.settings.models import ModelsSettings, ScratchSettings
from sociolect.settings.prompting import PromptSettings
from sociolect.settings.sfam import DistillationSettings, PairSettings, SfamSettings
from sociolect.settings.steering import (
    OF_THE_STATE,
    ActivationSettings,
    ReadingSettings,
    SteeringSettings,
    SweepSettings,
)
from sociolect.settings.study import StudySettings
from sociolect.settings.syntax import SyntaxSettings
from sociolect.settings.vllm import VllmSettings


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
    def _splits_exist(self) -> Config:
        have = set(self.splits)
        for name, experiment in self.experiments.items():
            for split in (*experiment.fit, experiment.ask):
                if split not in have:
                    raise ValueError(f"experiments.{name} needs split {split!r}; add corpus.paths.{split}")
        return self

    @model_validator(mode="after")
    def _measures_exist(self) -> Config:
        wanted = {
            "labeling.scorer": (self.labeling.scorer, "measured", "cross_encoder or distilled"),
            "pairs.targets": (self.pairs.targets, "graded", "hard"),
        }
        for key, (value, needs, instead) in wanted.items():
            if value == needs and self.description.describer != "stylometry":
                raise ValueError(
                    f"{key} is {value}, but what {self.description.describer} says cannot be measured; set "
                    f"description.describer: stylometry, or {key}: {instead}"
                )
        return self

    @model_validator(mode="after")
    def _sweep_can_tag(self) -> Config:
        if self.labeling.scorer == "measured" and self.syntax.tagger != "none" and self.sweep.backend == "vllm":
            raise ValueError(
                f"labeling.scorer is measured and syntax.tagger is {self.syntax.tagger}, so that the sweep tags what "
                "it generates, which vLLM's environment cannot; set sweep.backend: transformers, or syntax.tagger: none"
            )
        return self

    @model_validator(mode="after")
    def _methods_can_run(self) -> Config:
        on_vllm = [stage for stage in ("sweep", "generation") if getattr(self, stage).backend == "vllm"]
        for method in OF_THE_STATE:
            if method in self.steering.methods and on_vllm:
                raise ValueError(
                    f"steering.methods has {method}, a function of the hidden state, which vLLM cannot apply; take it "
                    f"out, or set {on_vllm[0]}.backend: transformers"
                )
        return self

    @property
    def splits(self) -> list[str]:
        """Splits of the run, in the fixed order single, multi, askx."""
        have = {"single", "multi", "askx"} if self.corpus.source == "demo" else set(self.corpus.paths)
        return [s for s in ("single", "multi", "askx") if s in have]


def load_config(values: dict[str, Any], where: str) -> Config:
    """Check the values of a config file.

    Raises:
        InputError: naming `where`, the key and what is wrong with it.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            names, _ = _place(problem["loc"])
            key = ".".join(names) or "(top level)"
            hint = ""
            if problem["type"] == "extra_forbidden":
                _, model = _place(problem["loc"][:-1])
                hint = f"; known keys here: {', '.join(sorted(getattr(model, 'model_fields', {})))}"
            lines.append(f"{where}: key {key!r}: {problem['msg']}{hint}")
        raise InputError("\n".join(lines)) from error


def read_config(path: Path) -> Config:
    """Read and check a config file."""
    return load_config(yaml.safe_load(path.read_text(encoding="utf-8")) or {}, str(path))


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


def _place(loc: tuple[int | str, ...]) -> tuple[list[str], Any]:
    """Names on the way to a key, as the file has them, and what lies there: a section or the type of a value."""
    names: list[str] = []
    here: Any = Config
    for part in loc:
        options = [get_args(option) for option in get_args(here)]
        kinds = {tag.tag: kind for kind, *more in filter(None, options) for tag in more if isinstance(tag, Tag)}
        if part in kinds:
            # which kind of model it was taken for: no key of the file
            here = kinds[part]
            continue
        names.append(str(part))
        field = getattr(here, "model_fields", {}).get(part)
        inner = [arg for arg in get_args(here) if isinstance(arg, type) and issubclass(arg, BaseModel)]
        here = field.annotation if field is not None else next(iter(inner), None)
    return names, here
