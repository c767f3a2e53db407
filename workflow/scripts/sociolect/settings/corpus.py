"""The corpus: the made-up one, import and cleaning, which groups take part, and the partition."""

from __future__ import annotations

import math
import os
from typing import Literal

from pydantic import Field, field_validator, model_validator

from sociolect.common.errors import InputError
from sociolect.settings.base import Experiment, Name, Positive, Split, Stage, UserPath

# keys of `corpus` that the import of a table is made by
IMPORT_KEYS = {"min_chars", "max_chars", "missing_values"}


class DemoSettings(Stage):
    """The made-up corpus (only read where `corpus.source` is `demo`)."""

    answers_per_group: Positive = Field(500, description="Answers per group in split single.")
    multi_answers_per_group: Positive = Field(300, description="Answers per group in split multi.")
    askx_questions_per_group: Positive = Field(60, description="Questions per group in split askx.")
    answers_per_question: int = Field(2, ge=2, description="Answers per question in multi and askx.")
    questions_per_author: Positive = Field(3, description="Questions that one author answers in split single.")


class CorpusSettings(Stage):
    """Import and cleaning."""

    source: Literal["files", "demo"] = Field(
        "files", description="`files`: the paths below; `demo`: the made-up corpus."
    )
    paths: dict[Split, UserPath] = Field(
        {"single": "data/single.parquet", "multi": "data/multi.parquet", "askx": "data/askx.parquet"},
        description="Input table of each split: .parquet, .csv or .jsonl, .csv.gz or .jsonl.gz. "
        "Leave a split out to run without it.",
    )
    min_chars: int = Field(20, ge=0, description="Shorter answers are left out.")
    max_chars: int = Field(20000, ge=1, description="Longer answers are left out.")
    missing_values: tuple[str, ...] = Field(
        ("NA", "N/A", "nan", "None", "NULL", "unknown", "anonymous", "[deleted]", "[removed]", "-", "?"),
        description="What stands for an unknown author, in any case of letters; a group called so is refused.",
    )

    @field_validator("paths")
    @classmethod
    def _a_file_each(cls, value: dict[Split, str]) -> dict[Split, str]:
        found: dict[str, Split] = {}
        for split, path in value.items():
            # data/a.csv, ./data/a.csv and a link to it are one
            first = found.setdefault(os.path.realpath(path), split)
            if first != split:
                spelled = " and ".join(dict.fromkeys((value[first], path)))
                raise ValueError(f"{first} and {split} are the same file, {spelled}; a split has a file of its own")
        return value

    @model_validator(mode="after")
    def _some_split(self) -> CorpusSettings:
        if not self.paths:
            raise ValueError("name at least one split under corpus.paths")
        return self


class Minimum(Stage):
    """Smallest group that takes part, per split."""

    single: Positive = Field(3500, description="Answers per group.")
    multi: Positive = Field(6000, description="Answers per group.")
    askx: Positive = Field(130, description="Questions per group.")


class PerGroup(Stage):
    """How many are drawn from each group, per split; null draws the minimum."""

    single: Positive | None = Field(None, description="Answers per group.")
    multi: Positive | None = Field(None, description="Answers per group.")
    askx: Positive | None = Field(None, description="Questions per group.")


class Parts(Stage):
    """Shares of train, val and test."""

    train: float = Field(0.7, gt=0, lt=1, description="Share of train.")
    val: float = Field(0.15, gt=0, lt=1, description="Share of val.")
    test: float = Field(0.15, gt=0, lt=1, description="Share of test.")

    @model_validator(mode="after")
    def _sum(self) -> Parts:
        if abs(self.train + self.val + self.test - 1) > 1e-9:
            raise ValueError("train, val and test must add up to 1")
        return self

    def quotas(self, total: int) -> dict[str, int]:
        """Part -> whole number; they add up to `total`, in proportion to the shares, at least one each.

        The largest remainders are rounded up; of equal ones, test goes before val before train.

        Raises:
            InputError: `total` is below three.
        """
        parts = tuple(type(self).model_fields)
        if total < len(parts):
            raise InputError(f"a draw of {total} is too few for {', '.join(parts)}; {len(parts)} at least")
        exact = {part: total * getattr(self, part) for part in parts}
        quotas = {part: max(1, math.floor(value + 1e-9)) for part, value in exact.items()}
        for part in sorted(reversed(parts), key=lambda p: round(quotas[p] - exact[p], 9)):
            quotas[part] += int(sum(quotas.values()) < total)
        # the largest part pays for those that were raised to one
        quotas[max(quotas, key=lambda p: quotas[p])] -= sum(quotas.values()) - total
        return quotas


class SamplingSettings(Stage):
    """Which groups take part, how many answers are drawn, and the partition."""

    minimum: Minimum = Field(Minimum(), description="Smallest group that takes part.")
    per_group: PerGroup = Field(PerGroup(), description="How many are drawn from each group.")
    answers_per_question: Positive = Field(3, description="Answers kept per drawn askx question.")
    parts: Parts = Field(Parts(), description="Shares of the parts.")
    min_part: Positive = Field(
        3, description="Answers that each part of each group has at least; with fewer the run ends at once."
    )
    max_component_share: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Question-author components above this share of a group's questions are cut by dropping.",
    )


class GroupSettings(Stage):
    """What `check_groups` holds the groups against."""

    experiments: dict[Name, Experiment] = Field(description="Name -> fit splits and ask split.")
    group_parents: dict[str, str] = Field({}, description="Group -> parent group.")
