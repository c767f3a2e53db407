"""The embedding of style vectors and the group profiles."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sociolect.settings.base import Positive, Share, Stage

Loss = Literal[
    "cross_entropy",
    "triplet",
    "supervised_contrastive",
    "multi_similarity",
    "proxy_anchor",
    "same_question",
    "triplet+cross_entropy",
    "supervised_contrastive+cross_entropy",
    "multi_similarity+cross_entropy",
    "proxy_anchor+cross_entropy",
    "same_question+cross_entropy",
]
Center = Literal["style", "mean_embedding", "geometric_median"]
Range = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class EmbeddingSettings(Stage):
    """The embedding net: its map, its loss, and the search of its hyper-parameters."""

    n_trials: Positive = Field(25, description="Trials of the search.")
    max_epochs: Positive = Field(20, description="Most epochs of a trial.")
    patience: Positive = Field(6, description="Epochs without a better val accuracy before stopping.")
    map: Literal["net", "lda", "whitening", "identity"] = Field(
        "net",
        description="Style vector to embedding. net: two fully connected layers with ReLU; without a net: lda "
        "(shrinkage LDA), whitening (within authors: nearest center by Mahalanobis distance), identity (scaled style "
        "vectors).",
    )
    whitening: Literal["none", "within_author"] = Field(
        "none", description="within_author: what an author's answers differ in is scaled away before the net."
    )
    loss: Loss = Field(
        "supervised_contrastive+cross_entropy",
        description="cross_entropy: of the softmax over minus distances to the groups' mean embeddings; triplet: the "
        "net as the notes have it, with f(median style) as group embedding; or another metric loss, alone or added to "
        "cross-entropy.",
    )
    roles: Literal["mixed", "disjoint"] = Field(
        "mixed", description="mixed: each sample in every role; disjoint: n // 2 anchors."
    )
    prototypes: int = Field(
        8,
        ge=0,
        le=64,
        description="loss triplet: medians of drawn answers that each batch gets per group, as the group embedding is "
        "f(median). 0: answers only.",
    )
    distances: tuple[Literal["euclidean", "cosine"], ...] = Field(
        ("euclidean",), min_length=1, description="Distances searched: euclidean, cosine, or both."
    )
    margin: Range = Field((0.05, 1.0), description="Triplet: range of the margin, in units of the distance.")
    temperature: Range = Field(
        (0.05, 0.5), description="Range of the temperature that cosine similarities are divided by."
    )
    widths: tuple[Positive, ...] = Field((128, 256, 512), min_length=1, description="Hidden widths searched.")
    dimensions: tuple[Positive, ...] = Field((16, 32, 64), min_length=1, description="Output dimensions searched.")
    dropout: tuple[Share, Share] = Field((0.1, 0.6), description="Range of the dropout after ReLU.")
    input_dropout: tuple[Share, Share] = Field(
        (0.0, 0.4), description="Range of the dropout of attributes: a net that leans on few of them overfits."
    )
    learning_rate: Range = Field((3e-4, 3e-3), description="Range of the learning rate, which falls to 0 (cosine).")
    weight_decay: Range = Field((0.1, 10.0), description="Range of the weight decay of AdamW.")
    batch_sizes: tuple[Annotated[int, Field(ge=4)], ...] = Field(
        (128, 256), min_length=1, description="Batch sizes searched."
    )
    miners: tuple[Literal["all", "semihard", "hard"], ...] = Field(
        ("all", "semihard", "hard"), min_length=1, description="Triplet: miners searched."
    )

    @property
    def metric_loss(self) -> str:
        """The loss without cross-entropy; empty for cross-entropy alone."""
        return self.loss.removesuffix("cross_entropy").removesuffix("+")

    @property
    def with_cross_entropy(self) -> bool:
        """Whether cross-entropy is the loss or part of it."""
        return self.loss.endswith("cross_entropy")

    @property
    def center(self) -> Center:
        """The group embedding that the map is made for: f(median style) where the notes' triplets train for it."""
        return "style" if self.map == "net" and self.loss == "triplet" else "mean_embedding"

    @model_validator(mode="after")
    def _ranges(self) -> EmbeddingSettings:
        for name in ("margin", "temperature", "dropout", "input_dropout", "learning_rate", "weight_decay"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: the lower end {low} is above the upper end {high}")
        for name in ("dropout", "input_dropout"):
            if getattr(self, name)[1] >= 1:
                raise ValueError(f"{name} must stay below 1")
        on_angles = self.metric_loss in ("multi_similarity", "proxy_anchor")
        if on_angles and self.map == "net" and "cosine" not in self.distances:
            raise ValueError(f"loss {self.loss} is defined on cosine similarities: add cosine to distances")
        return self


class ProfileSettings(Stage):
    """Group profiles and distinctive attributes."""

    statistic: Literal["median", "mean", "usage"] = Field(
        "median", description="Style vector of a group, over its authors."
    )
    center: Center | Literal["trained"] = Field(
        "trained",
        description="Group embedding: f(group style), mean of f(s), or geometric median of f(s). trained: the one that "
        "the map was made for, f(group style) for a net with `embedding.loss: triplet`, mean_embedding for all others.",
    )
    distinctive_by: Literal["usage", "statistic"] = Field(
        "usage", description="Profile whose gap to the second group makes an attribute distinctive."
    )
    distinctive_k: Positive = Field(8, description="Most distinctive attributes per group.")
    min_gap: float = Field(0.05, ge=0, lt=1, description="Smallest gap to the second group (tau).")
    bootstrap: Positive = Field(200, description="Resamples over authors for the selection frequency.")
    alike_below: Share = Field(0.65, description="Pairs told apart on val less well than this are reported as alike.")


class TopicSettings(Stage):
    """Accuracies with the topic held still."""

    clusters: int = Field(
        30,
        ge=2,
        description="Clusters of the questions' texts; few are broad topics, of which a group needs two at least.",
    )
    folds: int = Field(3, ge=2, le=20, description="Parts of the clusters; each is held out whole once.")
    resamples: int = Field(2000, ge=100, description="Paired cluster bootstrap over test questions.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of the intervals.")
    min_kept: Share = Field(
        0.8,
        description="A model may be telling topics where the share of its accuracy above chance that it keeps on "
        "unseen topics lies below this with its whole interval.",
    )


class TopicJob(Stage):
    """What `measure_topic` needs: it fits the net anew."""

    topic: TopicSettings
    embedding: EmbeddingSettings
    profiles: ProfileSettings


class StabilitySettings(Stage):
    """How firmly authors and answers fix a group's embedding."""

    draws: int = Field(50, ge=10, description="Resamples of each size, with replacement.")
    within: float = Field(
        0.1, gt=0, lt=1, description="Near enough: this share of the distance to the next group's embedding."
    )
