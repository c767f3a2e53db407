"""What the study's table says: an answer to each question, from the figures and their intervals alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from sociolect.settings.study import REFERENCE, StudySettings

__all__ = ["study_findings", "study_page"]

# axis -> the question that it answers
QUESTIONS = {
    "distance": "Euclidean or cosine distance?",
    "loss": "Which loss?",
    "margin": "Which margin of the triplets (Euclidean)?",
    "pool": "Anchors and others from one pool (mixed), or from separate ones (disjoint)?",
    "input": "Style vectors whitened within authors before the net?",
    "rule": "Is the net needed, or does a linear map do?",
    "center": "Which group embedding: f(median), f(mean), f(usage), the mean or the geometric median of embeddings?",
    "level": "Leaves, or parent groups from the start? (Both are asked for the parent group.)",
    "size": "How many train answers does it take?",
    "ceiling": "Does the net lose against what anyone gets for nothing?",
}


def study_findings(table: pl.DataFrame, axes: Sequence[str]) -> dict[str, list[str]]:
    """Question -> sentences of these axes: one for each comparison on test, then what val would choose.

    A difference is called one where its interval leaves out 0; the choice rests on val alone.

    Args:
        table: STUDY.
        axes: those that were asked for; a cell of another is there to be compared with.
    """
    found: dict[str, list[str]] = {}
    for axis, question in QUESTIONS.items():
        level = "parent" if axis == "level" else "leaf"
        rows, references = _rows(table, axis, level, "test"), _rows(table, "reference", level, "test")
        # kinds of group embeddings come with the reference
        if not rows or not references or axis not in (*axes, "center"):
            continue
        reference = references[0]
        named = {row["cell"]: row["shown"] for row in table.filter(pl.col("axis") != "center").iter_rows(named=True)}
        lines = [_compared(row, named) for row in rows]
        if axis not in ("ceiling", "size"):
            lines.append(_choice(table, axis, level, rows, reference))
        found[question] = lines
    return found


def study_page(table: pl.DataFrame, experiment: str, study: StudySettings) -> str:
    """The findings and the table as Markdown."""
    test = table.filter(pl.col("part") == "test", pl.col("level") == "leaf", pl.col("cell") == REFERENCE)
    n, seeds = test["n"][0], test["seeds"][0]
    lines = [
        f"# Embedding study: {experiment}",
        "",
        f"Mean accuracy over pairs of groups (chance 0.5) of {n} test answers, mean over {seeds} nets of each cell; "
        f"in brackets {study.confidence:.0%} intervals of a bootstrap over questions ({study.resamples} resamples, the "
        "same for all cells). Each cell changes one thing of the configured embedding and has a search of its own. "
        "Hyper-parameters, epochs and what is called chosen rest on val.",
        "",
    ]
    for question, sentences in study_findings(table, study.axes).items():
        lines += [f"## {question}", "", *(f"- {sentence}" for sentence in sentences), ""]
    lines += ["## All cells", ""]
    header = ("axis", "cell", "group embedding", "level", "val", "test", "difference", "against", "macro", "seeds' sd")
    lines += ["| " + " | ".join(header) + " |", "| --- | --- | --- | --- | ---: | --- | --- | --- | ---: | ---: |"]
    on_val = {_key(row): row for row in table.filter(pl.col("part") == "val").iter_rows(named=True)}
    for row in table.filter(pl.col("part") == "test").iter_rows(named=True):
        difference = "" if row["difference"] is None else _signed(row)
        spread = "" if row["spread"] is None else f"{row['spread']:.3f}"
        value = f"{row['pairwise']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        val = f"{on_val[_key(row)]['pairwise']:.3f}" if _key(row) in on_val else ""
        cells = (row["axis"], row["shown"], row["center"], row["level"], val, value, difference, row["against"] or "")
        lines.append("| " + " | ".join([*cells, f"{row['macro']:.3f}", spread]) + " |")
    return "\n".join(lines) + "\n"


def _rows(table: pl.DataFrame, axis: str, level: str, part: str) -> list[dict[str, Any]]:
    return table.filter(pl.col("axis") == axis, pl.col("level") == level, pl.col("part") == part).to_dicts()


def _compared(row: dict[str, Any], named: dict[str, str]) -> str:
    value = f"{row['shown']}: {row['pairwise']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    if row["difference"] is None:
        return f"{value}."
    other = "the reference" if row["against"] == REFERENCE else named[row["against"]]
    return f"{value}; minus {other} {_signed(row)}: {_verdict(row)}."


def _signed(row: dict[str, Any]) -> str:
    return f"{row['difference']:+.3f} [{row['difference_low']:+.3f}, {row['difference_high']:+.3f}]"


def _verdict(row: dict[str, Any]) -> str:
    if row["difference_low"] > 0:
        return "better"
    return "worse" if row["difference_high"] < 0 else "no difference is shown"


def _choice(table: pl.DataFrame, axis: str, level: str, rows: list[dict[str, Any]], reference: dict[str, Any]) -> str:
    """Which one val would choose, the reference among them, and what test says of it."""
    val = {_key(row): row["pairwise"] for row in table.filter(pl.col("part") == "val").iter_rows(named=True)}
    best = max([reference, *rows], key=lambda row: val.get(_key(row), 0.0))
    if best is reference:
        return f"Val chooses the reference ({val[_key(reference)]:.3f})."
    gain = best["pairwise"] - reference["pairwise"]
    return (
        f"Val chooses {best['shown']} ({val[_key(best)]:.3f}, the reference {val[_key(reference)]:.3f}); "
        f"on test it has {gain:+.3f} against the reference."
    )


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["cell"], row["center"], row["level"]
