"""What belongs to an experiment: its answers with style vectors, and its groups."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from sociolect.artifacts import read_table
from sociolect.errors import InputError
from sociolect.runtime import Job
from sociolect.schemas import LABELS, SAMPLES

__all__ = ["groups_of", "join_labels", "load_fit", "samples_by_split", "stack_splits"]


def groups_of(fit_frames: Sequence[pl.DataFrame], ask_frame: pl.DataFrame) -> list[str]:
    """Groups of the fit splits that are also in the ask split, alphabetical.

    Raises:
        InputError: fewer than two groups are left; the message counts answers per group.
    """
    fitted = {g for frame in fit_frames for g in frame["group"].unique()}
    groups = sorted(fitted & set(ask_frame["group"].unique()))
    if len(groups) < 2:
        fit = pl.concat([frame.select("group") for frame in fit_frames])
        raise InputError(
            f"an experiment needs two groups that are in its fit and its ask splits, but has {len(groups)}; "
            f"answers in fit: {_counts(fit)}; in ask: {_counts(ask_frame)}. Lower sampling.minimum, or change "
            "the experiment's fit or ask"
        )
    return groups


def join_labels(samples: pl.DataFrame, labels: pl.DataFrame, split: str) -> pl.DataFrame:
    """Answers of a split with their style vectors: SAMPLES columns, `split`, `style`.

    Raises:
        InputError: an answer has no style vector.
    """
    joined = samples.join(labels.select("answer_id", "style"), on="answer_id", how="left")
    unlabelled = joined.filter(pl.col("style").is_null())
    if unlabelled.height:
        first = unlabelled["answer_id"].min()
        raise InputError(
            f"split {split}: {unlabelled.height} answers have no style vector, such as {first!r}; label it again"
        )
    return joined.with_columns(pl.lit(split).alias("split"))


def stack_splits(frames: Sequence[pl.DataFrame], groups: Sequence[str]) -> pl.DataFrame:
    """All splits under each other, sorted by split (in the order given) and answer_id, only the given groups.

    An answer that occurs in two splits is kept where it occurs first.
    """
    stacked = pl.concat([frame.sort("answer_id") for frame in frames])
    return stacked.unique("answer_id", keep="first", maintain_order=True).filter(pl.col("group").is_in(list(groups)))


def samples_by_split(job: Job[Any]) -> dict[str, pl.DataFrame]:
    """Split -> samples, from the input `samples` (one file per split) and the option `splits`, in the same order.

    Raises:
        InputError: a split is named twice, or there are more or fewer files than splits.
    """
    splits, paths = job.options["splits"].split(","), job.inputs["samples"]
    if len(set(splits)) != len(paths) or len(splits) != len(paths):
        raise InputError(f"--splits {','.join(splits)} and {len(paths)} --samples files: name each file's split once")
    return {split: read_table(path, SAMPLES) for split, path in zip(splits, paths, strict=True)}


def load_fit(job: Job[Any]) -> pl.DataFrame:
    """Labelled answers of the experiment's fit splits and groups.

    Reads the inputs `samples` and `labels` (one file per split, in the order of option `splits`) and `ask`
    (samples of the ask split).

    Raises:
        InputError: the numbers of files and splits differ, style vectors are missing or differ in width, or
            fewer than two groups are left.
    """
    splits = [s for s in job.options["splits"].split(",") if s]
    samples, labels = job.inputs["samples"], job.inputs["labels"]
    if not len(splits) == len(samples) == len(labels) > 0:
        raise InputError(
            f"--splits names {len(splits)} splits, but there are {len(samples)} --samples and {len(labels)} "
            "--labels; give one file of each per split, in the same order"
        )
    frames = [
        join_labels(read_table(answers, SAMPLES), read_table(scores, LABELS), split)
        for split, answers, scores in zip(splits, samples, labels, strict=True)
    ]
    _same_width(frames, labels)
    return stack_splits(frames, groups_of(frames, read_table(job.path("ask"), SAMPLES)))


def _same_width(frames: Sequence[pl.DataFrame], paths: Sequence[Path]) -> None:
    for frame, path in zip(frames, paths, strict=True):
        if frame["style"].dtype != frames[0]["style"].dtype:
            raise InputError(f"{path}: style is {frame['style'].dtype}, but {paths[0]} has {frames[0]['style'].dtype}")


def _counts(frame: pl.DataFrame) -> str:
    counts = frame["group"].value_counts().sort("group")
    return ", ".join(f"{group} {n}" for group, n in counts.iter_rows()) or "none"
