"""What an experiment is fitted on: the answers of its groups with their style vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from sociolect.common.errors import InputError
from sociolect.corpus.experiments import groups_of

__all__ = ["join_labels", "labeled_answers", "refuse_overlap", "stack_splits"]


def join_labels(samples: pl.DataFrame, labels: pl.DataFrame, split: str) -> pl.DataFrame:
    """Answers of a split with their style vectors: SAMPLES columns, `split`, `style`.

    Raises:
        InputError: an answer has no style vector.
    """
    joined = samples.join(labels.select("answer_id", "style"), on="answer_id", how="left")
    unlabeled = joined.filter(pl.col("style").is_null())
    if unlabeled.height:
        first = unlabeled["answer_id"].min()
        raise InputError(
            f"split {split}: {unlabeled.height} answers have no style vector, such as {first!r}; label it again"
        )
    return joined.with_columns(pl.lit(split).alias("split"))


def stack_splits(frames: Sequence[pl.DataFrame], groups: Sequence[str]) -> pl.DataFrame:
    """All splits under each other, sorted by split (in the order given) and answer_id, only the given groups.

    An answer that occurs in two splits is kept where it occurs first.
    """
    stacked = pl.concat([frame.sort("answer_id") for frame in frames])
    return stacked.unique("answer_id", keep="first", maintain_order=True).filter(pl.col("group").is_in(list(groups)))


def labeled_answers(
    samples: Mapping[str, pl.DataFrame], labels: Mapping[str, pl.DataFrame], ask: pl.DataFrame
) -> pl.DataFrame:
    """Labeled answers of an experiment's fit splits and groups: SAMPLES columns, `split`, `style`.

    Args:
        samples: fit split -> SAMPLES.
        labels: fit split -> LABELS.
        ask: SAMPLES of the ask split.

    Raises:
        InputError: style vectors are missing or differ in width, fewer than two groups are left, or an author or a
            question is in more than one part.
    """
    refuse_overlap([*samples.values(), ask])
    frames = [join_labels(frame, labels[split], split) for split, frame in samples.items()]
    widths = {split: frame["style"].dtype for split, frame in zip(samples, frames, strict=True)}
    first = next(iter(widths))
    for split, width in widths.items():
        if width != widths[first]:
            raise InputError(
                f"labels of split {split}: style is {width}, but split {first} has {widths[first]}; label it again"
            )
    return stack_splits(frames, groups_of(frames, ask))


def refuse_overlap(samples: Iterable[pl.DataFrame]) -> None:
    """Hold that no author and no question of these tables is in more than one part, as sampling leaves them.

    An accuracy on answers whose author or question was trained on would tell people or topics, not groups.

    Args:
        samples: SAMPLES of one split each; unknown authors join nothing.

    Raises:
        InputError: naming the author or the question, its parts, and an answer in each of them.
    """
    stacked = pl.concat([frame.select("question_id", "author", "part", "answer_id") for frame in samples])
    for column, what in (("author", "author"), ("question_id", "question")):
        held = stacked.drop_nulls(column).group_by(column, "part").agg(pl.col("answer_id").min())
        torn = held.filter(pl.len().over(column) > 1).sort(column, "part")
        if torn.height:
            name = torn[column][0]
            places = torn.filter(pl.col(column) == name).select("part", "answer_id").iter_rows()
            where = " and ".join(f"{part} (answer {answer!r})" for part, answer in places)
            raise InputError(
                f"{what} {name!r} is in the parts {where}; {torn[column].n_unique()} such in the samples. "
                "Parts may share neither authors nor questions: run sample_groups again"
            )
