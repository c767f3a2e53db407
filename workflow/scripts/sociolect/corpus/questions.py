"""Questions of a part, and another group for each of them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.seeds import stable_hash

__all__ = ["next_group", "other_groups", "questions_of"]


def questions_of(samples: pl.DataFrame, groups: Sequence[str], part: str, per_group: int | None) -> pl.DataFrame:
    """Questions of a part: question_id, question, group; the first `per_group` of each group by stable hash.

    Raises:
        InputError: a group has none.
    """
    frame = (
        samples.filter((pl.col("part") == part) & pl.col("group").is_in(list(groups)))
        .select("question_id", "question", "group")
        .unique(["question_id", "group"], keep="any")
    )
    rank = [stable_hash("question", q) for q in frame["question_id"]]
    frame = frame.with_columns(pl.Series("rank", rank, dtype=pl.UInt64)).sort("group", "rank", "question_id")
    missing = sorted(set(groups) - set(frame["group"]))
    if missing:
        raise InputError(f"group {missing[0]!r} has no {part} question; raise sampling.parts.{part} or add questions")
    if per_group is not None:
        frame = frame.group_by("group", maintain_order=True).head(per_group)
    return frame.select("question_id", "question", "group")


def other_groups(questions: pl.DataFrame, groups: Sequence[str]) -> list[str]:
    """Another group for each question: in turn, so that each pair of groups is asked for as often as any other.

    Args:
        questions: column group, the questions of a group in their order.
        groups: all names, two at least.
    """
    names, turn, found = sorted(groups), dict.fromkeys(groups, 0), []
    for group in questions["group"]:
        at = names.index(group)
        others = names[at + 1 :] + names[:at]
        found.append(others[turn[group] % len(others)])
        turn[group] += 1
    return found


def next_group(group: str, names: Sequence[str]) -> str | None:
    """The group after this one by name, the first after the last; None where there is no other."""
    others = sorted(name for name in names if name != group)
    return next((name for name in others if name > group), others[0] if others else None)
