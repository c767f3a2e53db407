"""SFAM: its pairs, its training, and its student."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sociolect.settings.base import Positive, Share, Stage
from sociolect.settings.labels import LabelingSettings


class PairSettings(Stage):
    """Training pairs of SFAM."""

    pairs_per_answer: int = Field(16, ge=2, description="At most this many pairs per answer, half of them positive.")
    hard_share: Share = Field(
        0.5, description="Share of the negatives that are similar to an attribute the answer has."
    )
    held_out_share: float = Field(0.1, ge=0, lt=0.9, description="Share of the attributes that is never trained on.")
    targets: Literal["hard", "graded"] = Field(
        "hard",
        description="What SFAM learns of a pair. hard: 1 or 0, as the describer says; graded: the calibrated "
        "probability of the measure (stylometry only).",
    )
    random_per_answer: Positive = Field(4, description="Random pairs per held-out answer, for the false positive rate.")


class SfamSettings(Stage):
    """Training of SFAM, the style feature agreement model."""

    n_outputs: Literal[1, 2] = Field(2, description="2: agree and disagree with softmax; 1: one sigmoid.")
    max_tokens: int = Field(512, ge=16, description="Length of a pair; the answer is cut, the attribute never.")
    batch_size: int = Field(32, ge=2, description="Pairs per step, half positive.")
    learning_rate: float = Field(1e-5, gt=0, description="Peak learning rate of AdamW.")
    warmup_share: Share = Field(0.1, description="Share of the steps with a rising learning rate.")
    weight_decay: float = Field(0.01, ge=0, description="AdamW weight decay.")
    max_steps: Positive = Field(20000, description="Most optimizer steps.")
    eval_steps: Positive = Field(500, description="Steps between two looks at val.")
    patience: Positive = Field(5, description="Looks at val without improvement before stopping.")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="bf16: autocast where the device has it.")
    min_auroc: float = Field(
        0.75,
        ge=0,
        le=1,
        description="The run stops where the best AUROC on val is lower: .5 is chance, and at .72 style vectors told "
        "groups apart far worse than the measures that SFAM learned from. 0: never.",
    )


class DistillationSettings(Stage):
    """The student of SFAM (only read where `labeling.scorer` is `distilled`)."""

    n_answers: Positive = Field(4000, description="Train answers that the teacher scores, balanced over groups.")
    n_heldout: Positive = Field(
        500, description="The same of val, to stop the training, and of test, to measure the fidelity."
    )
    batch_size: Positive = Field(32, description="Answers per step.")
    learning_rate: float = Field(5e-5, gt=0, description="Peak learning rate of AdamW.")
    weight_decay: float = Field(0.01, ge=0, description="AdamW weight decay.")
    max_epochs: Positive = Field(30, description="Most passes over the train answers.")
    patience: Positive = Field(4, description="Looks at val without a better mean correlation before stopping.")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="bf16: autocast where the device has it.")
    min_pearson: float = Field(
        0.8, ge=-1, le=1, description="The run stops where the mean Pearson correlation on test answers is lower."
    )


class StudentJob(Stage):
    """What the student needs: its training, and how answers are labeled."""

    distillation: DistillationSettings
    labeling: LabelingSettings
