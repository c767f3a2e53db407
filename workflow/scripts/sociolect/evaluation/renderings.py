"""Renderings of the comparison: CSV, Markdown, LaTeX, HTML, and plain cells for the terminal.

`-` stands where a row has no value by definition (row 1 against itself), `n/a` where there was nothing to measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2
import polars as pl

from sociolect.common.schemas import TEXT_METRICS
from sociolect.evaluation.templates import HtmlTable
from sociolect.generation.conditions import BASELINE

__all__ = [
    "DAMAGE_HEADER",
    "HEADER",
    "cells",
    "damage_cells",
    "pipes",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
]

HEADER = (
    "condition",
    "n",
    "absolute group change",
    "absolute group change to the correct group",
    "direction distance",
)
_DAMAGE = (
    *("relevance", "log_perplexity", "distinct_1", "distinct_2", "distinct_3", "distinct_across"),
    *("longest_repeat", "length_ratio"),
)
_ADDED = tuple(name for name in TEXT_METRICS if name not in _DAMAGE)
DAMAGE_HEADER = (
    "condition",
    "hit rate",
    "moved away",
    "topic stays",
    "relevance",
    "log perplexity",
    "distinct-1",
    "distinct-2",
    "distinct-3",
    "distinct-2 across",
    "longest repeat",
    "length ratio",
    *(name.replace("_", " ") for name in _ADDED),
    "ended by itself",
    "by a stop string",
    "empty",
)
NONE, MISSING = "-", "n/a"
LINE = "**below the line**"
NOTE = (
    "Counts, shares in % and means, with intervals in brackets (bootstrap over questions, 95 % by default). "
    "`-`: row 1 is what the others are compared with; `n/a`: nothing to measure. "
    "All rows rest on the same questions, groups and samples; below the line are controls, what people would do "
    "instead, and every method with its own best setting; then all of it towards other groups than the question's."
)
DAMAGE_NOTE = (
    "Hit rate: share whose nearest group is the target; moved away: share that is farther from it than row 1's text. "
    "Topic stays: share that the topic probe, a classifier of words and characters, takes for the question's group. "
    "Relevance: share of the other questions that a text is less like than its own (chance .5). Perplexity under the "
    "unsteered model; too low a value means loops. Distinct-2 across: of all texts of a row together."
)
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def cells(table: pl.DataFrame, decimals: int = 1) -> list[list[str]]:
    """The comparison as text, one list per row, in the order of HEADER.

    Args:
        table: COMPARISON.
        decimals: of the percentages; the direction has two more.
    """
    return [
        [
            str(row["condition"]),
            str(row["n"]),
            _count(row, "group_changes", "group_change_rate", decimals),
            _count(row, "correct_changes", "correct_change_rate", decimals),
            _interval(row, "direction_distance", decimals + 2),
        ]
        for row in table.iter_rows(named=True)
    ]


def damage_cells(table: pl.DataFrame) -> list[list[str]]:
    """What the change costs, one list per row, in the order of DAMAGE_HEADER."""
    return [
        [
            str(row["condition"]),
            _percent(row, "hit_rate"),
            _percent(row, "away_rate"),
            _percent(row, "topic_rate"),
            *(_number(row, name) for name in (*_DAMAGE, *_ADDED)),
            _percent(row, "eos_rate"),
            _percent(row, "stop_rate"),
            str(row["n_empty"]),
        ]
        for row in table.iter_rows(named=True)
    ]


def to_csv(table: pl.DataFrame) -> str:
    """All columns at full precision; an empty field is null."""
    return table.write_csv()


def to_markdown(table: pl.DataFrame, below: pl.DataFrame, title: str, some: pl.DataFrame | None = None) -> str:
    """The comparison, a line, all other rows; and a second table with hit rates and damage.

    Args:
        table: COMPARISON of the eight rows; below: of what stands below the line.
        title: heading.
        some: of what only some groups have.
    """
    line = [LINE, *[""] * (len(HEADER) - 1)], [LINE, *[""] * (len(DAMAGE_HEADER) - 1)]
    first = [*cells(table), *([line[0], *cells(below)] if below.height else [])]
    second = [*damage_cells(table), *([line[1], *damage_cells(below)] if below.height else [])]
    parts = [f"# {title}", pipes(HEADER, first), NOTE, pipes(DAMAGE_HEADER, second), DAMAGE_NOTE]
    if some is not None and some.height:
        parts += ["## Methods that cannot steer every group, over the groups that they can", pipes(HEADER, cells(some))]
    return "\n\n".join(parts) + "\n"


def to_latex(table: pl.DataFrame, below: pl.DataFrame, title: str) -> str:
    """The comparison as a `table` environment, a rule between its halves and above what stands below the line; it
    needs the package booktabs."""
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{_tex(title)}}}",
        r"  \begin{tabular}{lrrrr}",
        r"    \toprule",
        f"    {' & '.join(_tex(h) for h in HEADER)} \\\\",
        r"    \midrule",
    ]
    for number, row in enumerate([*cells(table), *cells(below)]):
        if number in (table.height // 2, table.height):
            lines.append(r"    \midrule")
        lines.append(f"    {' & '.join(_tex(cell) for cell in row)} \\\\")
    lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def to_html(table: pl.DataFrame, below: pl.DataFrame, title: str, page: jinja2.Template) -> str:
    """A page of its own with the eight rows, what stands below the line, and the damage."""
    return page.render(
        title=title,
        comparison=HtmlTable(HEADER, [*cells(table), *cells(below)], line=table.height),
        note=NOTE,
        damage=HtmlTable(DAMAGE_HEADER, [*damage_cells(table), *damage_cells(below)], line=table.height),
        damage_note=DAMAGE_NOTE,
    )


def _absent(row: dict[str, Any]) -> str:
    return NONE if row["n"] and row["condition"].split(" (cross")[0] == BASELINE else MISSING


def _count(row: dict[str, Any], count: str, rate: str, decimals: int) -> str:
    if row[count] is None:
        return _absent(row)
    share, low, high = (f"{100 * row[f'{rate}{end}']:.{decimals}f}" for end in ("", "_low", "_high"))
    return f"{row[count]}, {share} % [{low}, {high}]"


def _interval(row: dict[str, Any], name: str, decimals: int) -> str:
    if row[name] is None:
        return _absent(row)
    mean, low, high = (f"{row[f'{name}{end}']:.{decimals}f}" for end in ("", "_low", "_high"))
    return f"{mean} [{low}, {high}]"


def _percent(row: dict[str, Any], name: str) -> str:
    return MISSING if row[name] is None else f"{100 * row[name]:.1f} %"


def _number(row: dict[str, Any], name: str) -> str:
    return MISSING if row[name] is None else f"{row[name]:.2f}"


def pipes(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, the first column to the left, the others to the right."""

    def line(texts: Sequence[str]) -> str:
        return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"

    return "\n".join([line(header), "| --- |" + " ---: |" * (len(header) - 1), *map(line, rows)])


def _tex(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)
