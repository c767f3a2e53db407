"""The judges' tables as Markdown: what each saw, what stays, whether they agree."""

from __future__ import annotations

from typing import Any

import polars as pl

from sociolect.evaluation.renderings import pipes
from sociolect.generation.conditions import BASELINE, ordered

__all__ = [
    "AGREEMENT_HEADER",
    "JUDGE_NOTE",
    "SHIFT_HEADER",
    "SHIFT_NOTE",
    "agreement_rows",
    "claim_of",
    "judge_page",
    "judge_tables",
    "shift_rows",
]

SHIFT_HEADER = ("condition", "n", "style: towards the target", "topic: stays", "style where it stayed (n)", "relevance")
AGREEMENT_HEADER = ("judge", "other", "targets", "conditions", "same sign", "rank correlation")
SHIFT_NOTE = (
    "Another group's style on a group's question: style should move to the target, topic and relevance should stay. "
    "Points against row 1; style is the mean over judges of style. A judge of style follows a text that changes its "
    "topic, so style is also given among the texts that the topic probe still takes for the question's group. The "
    "control `steered (topic)` moves topic alone: what it reaches is no style."
)
JUDGE_NOTE = (
    "Every judge is fitted on human train answers cut to the length of the generations. `sfam` is the style model with "
    "the net; `measured` sees measures of style, `ngrams` texts without their content words, `topic` all words: it is "
    "the topic probe. Rates are shares of texts; in brackets the rise against row 1, paired, with its interval "
    "(bootstrap over questions). The ceiling is what the judge reaches on human answers of that length."
)


def judge_page(title: str, table: pl.DataFrame, agreement: pl.DataFrame, contrasts: pl.DataFrame) -> str:
    """The page as Markdown.

    Args:
        title: its heading.
        table: BY_JUDGE; agreement: AGREEMENT; contrasts: CONTRASTS by judge.
    """
    parts = [f"# {title}", JUDGE_NOTE]
    if (table["targets"] == "cross").any():
        parts += ["## Style moves, topic stays", SHIFT_NOTE, pipes(SHIFT_HEADER, shift_rows(table)), claim_of(table)]
    for heading, header, rows in judge_tables(table):
        parts += [f"## {heading}", pipes(header, rows)]
    parts += ["## Steering against its controls and against prompts, own targets", _contrast_table(contrasts)]
    parts += ["## Agreement of judges", pipes(AGREEMENT_HEADER, agreement_rows(agreement))]
    return "\n\n".join(parts) + "\n"


def judge_tables(table: pl.DataFrame) -> list[tuple[str, list[str], list[list[str]]]]:
    """Heading, header and rows of each judge's table, own targets first.

    Args:
        table: BY_JUDGE.
    """
    found = []
    for targets in ("own", "cross"):
        for (judge,), frame in table.filter(targets=targets).group_by("judge", maintain_order=True):
            ceiling = frame["ceiling"][0]
            known = "" if ceiling is None else f", ceiling {100 * ceiling:.1f} %"
            header = ["condition", "n", "target, %", "rise, points"]
            header += ["question's group, %", "rise, points"] if targets == "cross" else []
            rows = [_judge_row(row, targets) for row in frame.iter_rows(named=True)]
            found.append((f"{judge}, {targets} targets (sees {frame['sees'][0]}{known})", header, rows))
    return found


def shift_rows(table: pl.DataFrame) -> list[list[str]]:
    """Cross targets, a row per condition: mean gain over judges of style, the topic probe's stay, relevance.

    Args:
        table: BY_JUDGE.
    """
    cross = table.filter(pl.col("targets") == "cross")
    base = cross.filter((pl.col("condition") == BASELINE) & (pl.col("sees") == "style"))["on_topic_rate"].mean()
    cross = cross.filter(pl.col("condition") != BASELINE)
    rows = []
    for condition in ordered(cross["condition"].unique()):
        own = cross.filter(pl.col("condition") == condition)
        style = own.filter(pl.col("sees") == "style")
        topic = own.filter(pl.col("sees") == "topic").row(0, named=True)
        relevance = own.filter(pl.col("sees") == "question").row(0, named=True)
        names = ", ".join(f"{row['judge']} {100 * row['gain']:+.1f}" for row in style.iter_rows(named=True))
        mean = float(style["gain"].mean())  # type: ignore[arg-type]
        rows.append(
            [
                condition,
                str(topic["n"]),
                f"{100 * mean:+.1f} ({names})",
                _rise(topic, "stay_gain"),
                _on_topic(style, base),
                "n/a" if relevance["gain"] is None else f"{relevance['gain']:+.3f}",
            ]
        )
    return rows


def claim_of(table: pl.DataFrame) -> str:
    """What may be claimed of steering by the rule of the study: every judge of style must see the target more often on
    other groups' questions, its interval above 0, and the topic probe's share must not fall by more than .05.

    Args:
        table: BY_JUDGE.
    """
    cross = table.filter((pl.col("targets") == "cross") & (pl.col("condition") == "steered"))
    style, topic = cross.filter(pl.col("sees") == "style"), cross.filter(pl.col("sees") == "topic")
    if style.height == 0 or topic.height == 0:
        return "Nothing is known of other groups' style: generation.targets is own."
    missed = [row["judge"] for row in style.iter_rows(named=True) if row["gain_low"] is None or row["gain_low"] <= 0]
    lost = -float(topic["stay_gain"][0])
    if not missed and lost <= 0.05:
        return "Steering moves texts to the right group: every judge of style sees it, with the topic held."
    reasons = [f"not seen by {', '.join(missed)}"] if missed else []
    reasons += [f"the topic probe's share falls by {100 * lost:.1f} points"] if lost > 0.05 else []
    return f"It is not shown that steering moves texts to the right group: {'; '.join(reasons)}."


def _judge_row(row: dict[str, Any], targets: str) -> list[str]:
    shown = [row["condition"], str(row["n"]), _share(row, "rate"), _rise(row, "gain")]
    return [*shown, _share(row, "stay"), _rise(row, "stay_gain")] if targets == "cross" else shown


def _on_topic(style: pl.DataFrame, base: Any) -> str:
    """Mean over judges of style among texts whose topic stayed, minus the same of row 1, and their number."""
    rate, n = style["on_topic_rate"].mean(), int(style["on_topic_n"].max())  # type: ignore[arg-type]
    return f"n/a ({n})" if rate is None or base is None else f"{100 * (float(rate) - float(base)):+.1f} ({n})"  # type: ignore[arg-type]


def _contrast_table(contrasts: pl.DataFrame) -> str:
    rows = []
    for row in contrasts.iter_rows(named=True):
        judge = row["measure"].removeprefix("hit_rate ")
        found = f"{100 * row['difference']:+.1f} [{100 * row['low']:+.1f}, {100 * row['high']:+.1f}]"
        rows.append([judge, row["condition"], row["against"], found, str(row["n_questions"])])
    return pipes(("judge", "condition", "against", "difference in points", "questions"), rows)


def agreement_rows(agreement: pl.DataFrame) -> list[list[str]]:
    """AGREEMENT as text."""
    return [
        [
            *(row[k] for k in ("judge", "other", "targets")),
            str(row["n"]),
            "n/a" if row["same_sign"] is None else f"{100 * row['same_sign']:.0f} %",
            "n/a" if row["spearman"] is None else f"{row['spearman']:.2f}",
        ]
        for row in agreement.iter_rows(named=True)
    ]


def _share(row: dict[str, Any], name: str) -> str:
    return "n/a" if row[name] is None else f"{100 * row[name]:.1f}"


def _rise(row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return "-"
    value, low, high = (f"{100 * row[f'{name}{end}']:+.1f}" for end in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"
