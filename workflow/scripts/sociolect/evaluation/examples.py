"""Texts side by side: a draw of each group, and the best and the worst, labeled as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.seeds import stable_hash
from sociolect.generation.conditions import BASELINE, STEERED

__all__ = ["attribute_moves", "example_pairs", "examples_page"]

_MOVED = 4  # attributes gained, and lost, that are named
_LEAST = 0.1  # of a score that counts as gained or lost


def example_pairs(scores: pl.DataFrame, per_group: int) -> pl.DataFrame:
    """Pairs of row 1 and `steered` on the same question and sample, of own targets, that are shown.

    Args:
        scores: SCORES.
        per_group: pairs of each group, those of the smallest hash: nobody picks.

    Returns:
        Rows of SCORES of the steered texts with `kind`: drawn, best or worst; the latter two are of all groups, by how
        much nearer to the target's group the text came (cosine to the centered target, times whether it came there).
    """
    own = scores.filter((pl.col("condition") == STEERED) & (pl.col("target") == pl.col("question_group")))
    rank = pl.Series("rank", [stable_hash("shown", i) for i in own["request_id"]], dtype=pl.UInt64)
    drawn = own.with_columns(rank).sort("target", "rank").group_by("target", maintain_order=True).head(per_group)
    told = own.filter(pl.col("direction_centred").is_not_null()).with_columns(
        merit=pl.col("changed_to_target").cast(pl.Int8) - pl.col("lost_target").cast(pl.Int8)
    )
    told = told.sort("merit", "direction_centred", "request_id", descending=[True, True, False])
    parts = [
        drawn.select(own.columns).with_columns(kind=pl.lit("drawn")),
        told.head(2).drop("merit").with_columns(kind=pl.lit("best")),
        told.tail(2).drop("merit").with_columns(kind=pl.lit("worst")),
    ]
    return pl.concat(parts)


def attribute_moves(before: np.ndarray, after: np.ndarray, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Attributes gained and lost, the largest changes of score first.

    Args:
        before: scores of the reference [K]; after: of the text [K].
        names: of the attributes.
    """
    change = np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64)
    order = np.argsort(-change, kind="stable")
    gained = [f"{names[a]} ({change[a]:+.2f})" for a in order[:_MOVED] if change[a] >= _LEAST]
    lost = [f"{names[a]} ({change[a]:+.2f})" for a in order[::-1][:_MOVED] if change[a] <= -_LEAST]
    return gained, lost


def examples_page(
    title: str,
    scores: pl.DataFrame,
    texts: Mapping[str, str],
    questions: Mapping[str, str],
    names: Sequence[str],
    n: int,
) -> str:
    """The page as Markdown.

    Args:
        title: heading.
        scores: SCORES.
        texts: request id -> generated text; questions: question id -> question.
        names: the catalogue's attributes, in the order of style vectors.
        n: pairs per group.
    """
    style = dict(zip(scores["request_id"], matrix(scores["style"]), strict=True))
    pairs = example_pairs(scores, n)
    parts = [
        f"# {title}",
        f"Row 1 (`{BASELINE}`) and `{STEERED}`, same question and draws. {n} pairs per group are drawn by a hash: "
        "nobody picks. The best and the worst of all, in the eyes of the style model, are labeled so.",
    ]
    headings = {"drawn": "Drawn by hash", "best": "Best, picked", "worst": "Worst, picked"}
    for (kind,), frame in pairs.group_by("kind", maintain_order=True):
        parts.append(f"## {headings[str(kind)]}")
        for row in frame.iter_rows(named=True):
            parts.append(_pair(row, style, texts, questions, names))
    return "\n\n".join(parts) + "\n"


def _pair(
    row: dict[str, Any],
    style: Mapping[str, np.ndarray],
    texts: Mapping[str, str],
    questions: Mapping[str, str],
    names: Sequence[str],
) -> str:
    gained, lost = attribute_moves(style[row["reference_id"]], style[row["request_id"]], names)
    lines = [
        f"**{row['target']}**: {_quoted(questions[row['question_id']], 300)}",
        f"| | nearest group | text |\n| --- | --- | --- |\n"
        f"| before | {row['reference_nearest']} | {_quoted(texts[row['reference_id']])} |\n"
        f"| after | {row['nearest']} | {_quoted(texts[row['request_id']])} |",
        f"Gained: {'; '.join(gained) or 'nothing'}. Lost: {'; '.join(lost) or 'nothing'}.",
    ]
    return "\n\n".join(lines)


def _quoted(text: str, most: int = 2000) -> str:
    """A text in a cell: one line, nothing that Markdown or HTML would take for its own."""
    line = " ".join(text.split())[:most] or "(empty)"
    # a backslash of the text must not undo the one before a mark
    for mark, entity in (("&", "&amp;"), ("\\", "&#92;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|"), ("`", "\\`")):
        line = line.replace(mark, entity)
    return line.replace("*", "\\*").replace("_", "\\_").replace("[", "\\[")
