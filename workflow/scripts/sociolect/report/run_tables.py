"""What a report is made of: the tables of a run and of its experiments, each of which may be missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import polars as pl

from sociolect.common.artifacts import Schema
from sociolect.common.schemas import (
    ACCURACY,
    AGREEMENT,
    BY_JUDGE,
    CATALOGUE,
    CATALOGUE_FUNNEL,
    CEILINGS,
    CHAIN,
    COMPARISON,
    CONTRASTS,
    EMBEDDINGS,
    FIDELITY,
    GROUP_DISTANCES,
    GROUPS,
    LEFT_OUT,
    NEAREST,
    SAMPLING_FUNNEL,
    SFAM_STEPS,
    STABILITY,
    SWEEP,
    TOPIC,
)
from sociolect.settings.models import ModelsSettings, name_of

__all__ = ["PER_EXPERIMENT", "SHARED", "ExperimentTables", "RunTables", "leaves_of", "model_names", "some"]

# tables of an experiment, and of the run
PER_EXPERIMENT = {
    "comparison": COMPARISON,
    "controls": COMPARISON,
    "contrasts": CONTRASTS,
    "accuracy": ACCURACY,
    "topic": TOPIC,
    "embeddings": EMBEDDINGS,
    "distances": GROUP_DISTANCES,
    "sweep": SWEEP,
    "groups": GROUPS,
    "stability": STABILITY,
    "nearest": NEAREST,
    "chain": CHAIN,
    "ceilings": CEILINGS,
    "judges": BY_JUDGE,
    "agreement": AGREEMENT,
    "judge_contrasts": CONTRASTS,
}
SHARED: dict[str, Schema] = {
    "catalogue": CATALOGUE,
    "funnel": CATALOGUE_FUNNEL,
    "sampling": SAMPLING_FUNNEL,
    "left_out": LEFT_OUT,
    "steps": SFAM_STEPS,
    "fidelity": FIDELITY,
}


@dataclass(frozen=True)
class ExperimentTables:
    """What an experiment left behind; a table that is None or empty leaves its section out."""

    name: str
    fit: tuple[str, ...] = ()
    ask: str = ""
    comparison: pl.DataFrame | None = None
    controls: pl.DataFrame | None = None
    contrasts: pl.DataFrame | None = None
    accuracy: pl.DataFrame | None = None
    topic: pl.DataFrame | None = None
    embeddings: pl.DataFrame | None = None
    distances: pl.DataFrame | None = None
    sweep: pl.DataFrame | None = None
    groups: pl.DataFrame | None = None
    stability: pl.DataFrame | None = None
    nearest: pl.DataFrame | None = None
    chain: pl.DataFrame | None = None
    ceilings: pl.DataFrame | None = None
    judges: pl.DataFrame | None = None
    agreement: pl.DataFrame | None = None
    judge_contrasts: pl.DataFrame | None = None
    weights: dict[str, Any] | None = None
    choice: dict[str, Any] | None = None


@dataclass(frozen=True)
class RunTables:
    """What the experiments share, and what the jobs took.

    Attributes:
        confidence: level of the intervals.
        took: rule -> hours and jobs; gpus: rule -> GPUs that one of its jobs asks for.
    """

    run: str
    models: dict[str, str] = field(default_factory=dict)
    confidence: float = 0.95
    took: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    gpus: Mapping[str, int] = field(default_factory=dict)
    catalogue: pl.DataFrame | None = None
    funnel: pl.DataFrame | None = None
    sampling: pl.DataFrame | None = None
    left_out: pl.DataFrame | None = None
    steps: pl.DataFrame | None = None
    fidelity: pl.DataFrame | None = None
    metrics: dict[str, Any] | None = None


def model_names(models: ModelsSettings | None) -> dict[str, str]:
    """The two models in words, where the settings name them."""
    if models is None:
        return {}
    return {name: name_of(getattr(models, name)) for name in ("sfam", "lm")}


def some(frame: pl.DataFrame | None) -> TypeGuard[pl.DataFrame]:
    """Whether there is anything in a table."""
    return frame is not None and frame.height > 0


def leaves_of(metrics: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested figures by its path in words; what has an F1 is one value, a slice."""
    for key, value in metrics.items():
        path = f"{name}, {key}".lstrip(", ").replace("_", " ")
        if isinstance(value, dict) and "f1" not in value:
            yield from leaves_of(value, path)
        else:
            yield path, value
