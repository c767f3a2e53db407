"""The studies: the embedding's grid of cells, each a change of one thing, and its budget; the steering's seeds."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import Field

from sociolect.settings.base import Positive, Share, Stage
from sociolect.settings.embedding import EmbeddingSettings, Loss
from sociolect.settings.steering import ActivationSettings, SteeringSettings, SweepJob

Axis = Literal["distance", "loss", "margin", "pool", "input", "rule", "size", "level", "ceiling"]
REFERENCE = "reference"
_MARGINS = (0.05, 0.1, 0.2, 0.5, 1.0)
_SIZES = (0.125, 0.25, 0.5)
_NET: dict[str, Any] = {"map": "net"}
# the default, whatever is configured: not every loss takes every distance; written out, since what only compares cells
# does not run again for another default
_LOSS: Loss = "supervised_contrastive+cross_entropy"
# losses of cosine similarities
_ON_ANGLES = ("multi_similarity", "proxy_anchor")


class StudyCell(Stage):
    """One cell of the grid."""

    axis: Axis | Literal["reference"] = Field(description="What the cell is compared along.")
    shown: str = Field(description="What the cell is, in the tables.")
    embedding: dict[str, Any] = Field({}, description="Keys of the section embedding that it changes.")
    features: Literal["style", "measures", "all_style"] = Field(
        "style", description="What is embedded or classified; all_style: with n-grams of syntax, for tagged answers."
    )
    classifier: Literal["map", "logistic"] = Field("map", description="The map with its rule, or logistic regression.")
    train_share: Share = Field(1.0, description="Share of each group's train answers.")
    parents: bool = Field(False, description="Trained on the parent groups.")
    against: str | None = Field(REFERENCE, description="The cell that it is compared with.")


def embedding_cells() -> dict[str, StudyCell]:
    """The declared grid: the reference is the configured embedding; every other cell changes one thing of it.

    The margin is one of triplets, so its cells, and one of the pools', are also changes to the loss `triplet`, and the
    margin's leave out the hard miner.
    """
    reference = StudyCell(axis="reference", shown="as configured", against=None)
    return {REFERENCE: reference, **_cells_of_nets(), **_cells_of_rules()}


def _cells_of_nets() -> dict[str, StudyCell]:
    """Distances, losses, margins, pools and inputs: of nets, whatever map is configured."""
    cells: dict[str, StudyCell] = {}
    for name, against in (("euclidean", REFERENCE), ("cosine", "distance-euclidean")):
        cells[f"distance-{name}"] = StudyCell(
            axis="distance",
            shown=name,
            embedding=_NET | {"loss": _LOSS, "distances": [name]},
            against=against,
        )
    for loss in get_args(Loss):
        change = _NET | {"loss": loss} | ({"distances": ["cosine"]} if loss.startswith(_ON_ANGLES) else {})
        cells[f"loss-{loss}".replace("+", "-with-")] = StudyCell(axis="loss", shown=loss, embedding=change)
    for margin in _MARGINS:
        change = _NET | {"loss": "triplet", "distances": ["euclidean"], "margin": [margin, margin]}
        # a hard triplet is one at any margin: those miners that the margin chooses for
        change |= {"miners": ["all", "semihard"]}
        against = "margin-0.2" if margin != 0.2 else REFERENCE
        cells[f"margin-{margin}"] = StudyCell(axis="margin", shown=str(margin), embedding=change, against=against)
    for loss in ("cross_entropy", "triplet"):
        cells[f"pool-disjoint-{loss}"] = StudyCell(
            axis="pool",
            shown=f"disjoint, {loss}",
            embedding=_NET | {"loss": loss, "roles": "disjoint"},
            against=f"loss-{loss}",
        )
    cells["input-whitened"] = StudyCell(
        axis="input", shown="whitened within authors", embedding=_NET | {"whitening": "within_author"}
    )
    return cells


def _cells_of_rules() -> dict[str, StudyCell]:
    """Maps without a net, shares of train, parents, and what anyone gets for nothing."""
    cells: dict[str, StudyCell] = {}
    rules: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("euclidean", "no net, Euclidean", {"map": "identity", "distances": ["euclidean"]}),
        ("cosine", "no net, cosine", {"map": "identity", "distances": ["cosine"]}),
        ("mahalanobis", "no net, Mahalanobis within authors", {"map": "whitening"}),
        ("lda", "no net, shrinkage LDA", {"map": "lda"}),
    )
    for name, shown, rule in rules:
        cells[f"rule-{name}"] = StudyCell(axis="rule", shown=shown, embedding=rule)
    for share in _SIZES:
        cells[f"size-{share}"] = StudyCell(axis="size", shown=f"{share:g} of train", train_share=share)
        cells[f"size-{share}-logistic"] = StudyCell(
            axis="size",
            shown=f"{share:g} of train, logistic regression",
            train_share=share,
            classifier="logistic",
            against=f"size-{share}",
        )
    cells["level-parents"] = StudyCell(axis="level", shown="trained on parents", parents=True)
    for features in ("style", "measures"):
        name = "style vectors" if features == "style" else "raw measures"
        cells[f"ceiling-{features}-logistic"] = StudyCell(
            axis="ceiling", shown=f"{name}, logistic regression", features=features, classifier="logistic"
        )
    # of the style vectors it is the rule's
    cells["ceiling-measures-lda"] = StudyCell(
        axis="ceiling", shown="raw measures, shrinkage LDA", features="measures", embedding={"map": "lda"}
    )
    cells["ceiling-all-style-logistic"] = StudyCell(
        axis="ceiling", shown="all style and syntax, logistic regression", features="all_style", classifier="logistic"
    )
    return cells


VectorAxis = Literal["weights", "number", "statistic", "set", "source", "contrast", "token", "role", "positions"]


class VectorCell(Stage):
    """One cell of the grid of attribute vectors: keys that it changes, by section."""

    axis: VectorAxis | Literal["reference"] = Field(description="What the cell is compared along.")
    shown: str = Field(description="What the cell is, in the tables.")
    method: Literal["all", "distinctive"] = Field("all", description="Set of attributes.")
    activations: dict[str, Any] = Field({}, description="Keys of the section activations.")
    steering: dict[str, Any] = Field({}, description="Keys of the section steering.")
    sweep: dict[str, Any] = Field({}, description="Keys of the section sweep.")

    def applied(self, job: VectorJob) -> VectorJob:
        """The job's settings with the cell's keys.

        Raises:
            ValidationError: a key that does not exist.
        """
        values = job.model_dump(mode="json")
        for name in ("activations", "steering", "sweep"):
            values[name] |= getattr(self, name)
        return VectorJob.model_validate(values)


def vector_cells() -> dict[str, VectorCell]:
    """The grid of attribute vectors: as configured, then one thing changed at a time."""
    cells = {REFERENCE: VectorCell(axis="reference", shown="as configured")}
    for name in ("raw", "centred", "z"):
        cells[f"weights-{name}"] = VectorCell(axis="weights", shown=name, steering={"transform": name})
    for number in (1, 2, 4, 8, 16, 32):
        cells[f"number-{number}"] = VectorCell(axis="number", shown=str(number), steering={"n_eff": number})
    for name in ("style", "mean", "usage"):
        cells[f"statistic-{name}"] = VectorCell(axis="statistic", shown=name, steering={"statistic": name})
    cells["set-distinctive"] = VectorCell(axis="set", shown="distinctive attributes alone", method="distinctive")
    for axis, key, values in (
        ("source", "source", ("forward", "greedy", "sampled")),
        ("contrast", "contrast", ("centred", "neutral", "raw")),
        ("token", "token", ("last", "mean")),
        ("role", "role", ("raw", "system", "user")),
    ):
        for value in values:
            cells[f"{axis}-{value}"] = VectorCell(axis=axis, shown=value, activations={key: value})
    for value in ("generated", "last", "all"):
        cells[f"positions-{value}"] = VectorCell(axis="positions", shown=value, sweep={"positions": [value]})
    return cells


def vector_cells_of(axes: tuple[VectorAxis, ...], configured: VectorJob) -> dict[str, str]:
    """Cells on these axes, the reference first -> the cell that is run for it: one that changes nothing is the
    reference."""
    chosen = {name: cell for name, cell in vector_cells().items() if cell.axis in (*axes, REFERENCE)}
    same = {name for name, cell in chosen.items() if cell.method == "all" and cell.applied(configured) == configured}
    return {name: REFERENCE if name in same else name for name in chosen}


class StudySettings(Stage):
    """What `make study` compares, and with what budget."""

    axes: tuple[Axis, ...] = Field(
        ("distance", "loss", "margin", "pool", "input", "rule", "size", "level", "ceiling"),
        min_length=1,
        description="What is varied, one thing at a time. level: only where there are `group_parents`.",
    )
    vector_axes: tuple[VectorAxis, ...] = Field(
        ("weights", "number", "statistic", "set", "source", "contrast", "token", "role", "positions"),
        min_length=1,
        description="vectors: what is varied of the attribute vectors, one thing at a time.",
    )
    n_trials: Positive = Field(8, description="Trials of each cell's own search.")
    run_seeds: Positive = Field(5, description="steering: runs of the whole chain, each with a seed of its own.")
    n_seeds: Positive = Field(3, description="Nets trained with each cell's best trial.")
    resamples: Positive = Field(1000, description="Resamples of the questions for the intervals.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of the intervals.")


class VectorJob(SweepJob):
    """What a cell of the study of vectors needs."""

    activations: ActivationSettings
    steering: SteeringSettings


class StudyJob(Stage):
    """What a cell of the study needs."""

    embedding: EmbeddingSettings
    study: StudySettings


def cells_of(axes: tuple[Axis, ...], parents: bool, tagged: bool) -> list[str]:
    """Names of the cells on these axes and of those that they are compared with, the reference first.

    Without parent groups there is no axis of levels, and without tagged answers no cell of all style.
    """
    cells = {name: cell for name, cell in embedding_cells().items() if tagged or cell.features != "all_style"}
    chosen = {name for name, cell in cells.items() if cell.axis in axes and (parents or cell.axis != "level")}
    chosen |= {against for name in chosen if (against := cells[name].against) is not None}
    return [name for name in cells if name in chosen | {REFERENCE}]
