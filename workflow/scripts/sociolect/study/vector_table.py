"""The study of attribute vectors: what each cell reached on val, against the configured one, paired by question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.schemas import VECTOR_STUDY
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.evaluation.renderings import pipes
from sociolect.settings.study import REFERENCE, VectorCell

__all__ = ["vector_page", "vector_table"]

# axis -> the question that it answers
_QUESTIONS = {
    "weights": "Profiles as they are, centered over groups, or z?",
    "number": "How many attributes make a group's vector (N_eff)?",
    "statistic": "Median (style), mean or usage?",
    "set": "All attributes, or the distinctive ones (N14)?",
    "source": "One forward pass, greedy answers, or sampled ones (N10)?",
    "contrast": "Against all attributes, a neutral sentence, or nothing?",
    "token": "The last token of the attribute, or the mean over all of its tokens?",
    "role": "The sentence alone, as system turn, or as user turn?",
    "positions": "Where is the vector added?",
}


def vector_table(
    tries: Mapping[str, pl.DataFrame], cells: Mapping[str, VectorCell], bootstrap: ClusterBootstrap
) -> pl.DataFrame:
    """VECTOR_STUDY, cells in the order given.

    Args:
        tries: cell -> VECTOR_TRIES, the reference among them.
        cells: the grid.
        bootstrap: of all val questions.
    """
    keys = ["question_id", "group", "target"]
    reference = tries[REFERENCE].select(*keys, base="gain")
    rows = []
    for name, frame in tries.items():
        own = pl.col("group") == pl.col("target")
        pair = frame.join(reference, on=keys, maintain_order="left")
        row: dict[str, Any] = {
            "axis": cells[name].axis,
            "cell": name,
            "shown": cells[name].shown,
            "setting": frame["setting"][0],
            "n": frame.height,
            "gain_own": frame.filter(own)["gain"].mean(),
            "gain_cross": frame.filter(~own)["gain"].mean(),
            "topic": frame.filter(~own)["topic"].mean(),
            "perplexity_change": frame["perplexity_change"][0],
        }
        for key, table, values in (
            ("gain", frame, frame["gain"]),
            ("difference", pair, pair["gain"] - pair["base"]),
        ):
            interval = bootstrap.interval(table["question_id"].to_list(), values.to_numpy())
            low, high = interval if interval is not None else (None, None)
            row |= {key: float(np.mean(values.to_numpy())), f"{key}_low": low, f"{key}_high": high}
        rows.append(row)
    return VECTOR_STUDY.frame(rows)


def vector_page(title: str, table: pl.DataFrame) -> str:
    """An answer to each question, in figures, as Markdown."""
    reference = table.filter(axis=REFERENCE).row(0, named=True)
    parts = [
        f"# {title}",
        "Every cell changes one thing of the configured attribute vectors and has a sweep of its own on val; its best "
        "setting inside the guards is shown. Gain: rise of the target's share against the unsteered answers, in "
        "points, mean over judges of style and over own and other targets. All figures are of val, where the settings "
        "were chosen, so that they are too high by that choice; differences are paired with the configured cell.",
        f"As configured: {reference['setting']}, gain {_points(reference, 'gain')} ({reference['n']} answers).",
    ]
    header = (
        "cell",
        "n",
        "best setting",
        "gain",
        "own",
        "other targets",
        "topic",
        "log perplexity",
        "minus configured",
    )
    for axis, question in _QUESTIONS.items():
        rows = table.filter(axis=axis)
        if rows.height:
            parts += [f"## {question}", pipes(header, [_row(row) for row in rows.iter_rows(named=True)])]
    return "\n\n".join(parts) + "\n"


def _row(row: Mapping[str, Any]) -> list[str]:
    def one(name: str) -> str:
        return "n/a" if row[name] is None else f"{100 * row[name]:+.1f}"

    return [
        row["shown"],
        str(row["n"]),
        row["setting"],
        _points(row, "gain"),
        one("gain_own"),
        one("gain_cross"),
        one("topic"),
        f"{row['perplexity_change']:+.2f}",
        _points(row, "difference"),
    ]


def _points(row: Mapping[str, Any], name: str) -> str:
    value = f"{100 * row[name]:+.1f}"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return value if low is None else f"{value} [{100 * low:+.1f}, {100 * high:+.1f}]"
