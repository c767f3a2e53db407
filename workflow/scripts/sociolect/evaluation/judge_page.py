"""The judges' tables as Markdown: what each saw, what stays, whether they agree."""

from __future__ import annotations

from typing import Any

import polars as pl

from sociolect.evaluation.by_judge import CROSS_HITS
from sociolect.evaluation.renderings import pipes
from sociolect.generation.conditions import BASELINE, STEERED, ordered

__all__ = [
    "AGREEMENT_HEADER",
    "JUDGE_NOTE",
    "SHIFT_HEADER",
    "SHIFT_NOTE",
    "agreement_rows",
    "claim_of",
    "doubts_of",
    "judge_page",
    "judge_tables",
    "shift_rows",
]

SHIFT_HEADER = ("condition", "n", "style: towards the target", "topic: stays", "style where it stayed (n)", "relevance")
# what a claim has to exceed on other groups' questions, too
_NULLS = ("steered (random)", "steered (shuffled)")
AGREEMENT_HEADER = ("judge", "other", "targets", "conditions", "same sign", "rank correlation")
SHIFT_NOTE = (
    "Another group's style on a group's question: style should move to the target, topic and relevance should stay. "
    "Points against row 1; style is the mean over judges of style. A judge of style follows a text that changes its "
    "topic, so style is also given among the pairs of which the topic probe takes both for the question's group. The "
    "control `steered (topic)` moves topic alone: what it reaches is no style."
)
JUDGE_NOTE = (
    "Every judge is fitted on human train answers cut to the longest generation. `sfam` is the style model with the "
    "net; `measured` sees measures of style, `ngrams` texts without their content words, `topic` all words: it is the "
    "topic probe. Where the describer is stylometry, `sfam` has learned from the measures that `measured` sees. The "
    "sweep chose on val by the mean of the judges of style. Rates are shares of texts; in brackets the rise against "
    "row 1, paired, with its interval (bootstrap over questions). The ceiling is what the judge reaches on such human "
    "answers."
)


def judge_page(title: str, table: pl.DataFrame, agreement: pl.DataFrame, contrasts: pl.DataFrame) -> str:
    """The page as Markdown.

    Args:
        title: its heading.
        table: BY_JUDGE; agreement: AGREEMENT; contrasts: CONTRASTS by judge.
    """
    parts = [f"# {title}", JUDGE_NOTE]
    if (table["targets"] == "cross").any():
        parts += [
            "## Style moves, topic stays",
            SHIFT_NOTE,
            pipes(SHIFT_HEADER, shift_rows(table)),
            claim_of(table, contrasts),
        ]
    for heading, header, rows in judge_tables(table):
        parts += [f"## {heading}", pipes(header, rows)]
    parts += ["## Steering against every other row", _contrast_table(contrasts)]
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
                _on_topic(style),
                "n/a" if relevance["gain"] is None else f"{relevance['gain']:+.3f}",
            ]
        )
    return rows


def claim_of(table: pl.DataFrame, contrasts: pl.DataFrame) -> str:
    """What may be claimed of steering, in a sentence.

    Args:
        table: BY_JUDGE; contrasts: CONTRASTS by judge.
    """
    reasons = doubts_of(table, contrasts)
    if reasons is None:
        return "Nothing is known of other groups' style: generation.targets is own."
    if not reasons:
        return (
            "Steering moves texts to the right group: every judge of style sees it, more than with random directions "
            "and shuffled labels, with the topic held."
        )
    return f"It is not shown that steering moves texts to the right group: {'; '.join(reasons)}."


def doubts_of(table: pl.DataFrame, contrasts: pl.DataFrame) -> list[str] | None:
    """Why it may not be claimed that steering moves style, by the rule of the study, on other groups' questions: every
    judge of style sees the target more often than in row 1, and more often than with a random direction and with
    shuffled labels, all intervals above 0; and the topic probe's share does not fall by more than .05.

    A text that steering only blurs comes nearer to every group's share, so a rise alone proves nothing.

    Args:
        table: BY_JUDGE; contrasts: CONTRASTS by judge.

    Returns:
        The reasons, none where it may be claimed; None where other groups' style was not asked for.
    """
    cross = table.filter((pl.col("targets") == "cross") & (pl.col("condition") == STEERED))
    style, topic = cross.filter(pl.col("sees") == "style"), cross.filter(pl.col("sees") == "topic")
    if style.height == 0 or topic.height == 0 or topic["stay_gain"][0] is None:
        return None
    reasons = []
    missed = [row["judge"] for row in style.iter_rows(named=True) if row["gain_low"] is None or row["gain_low"] <= 0]
    if missed:
        reasons.append(f"not seen by {', '.join(missed)}")
    lows = {(row["measure"], row["against"]): row["low"] for row in contrasts.iter_rows(named=True)}
    for control in _NULLS:
        beaten = [judge for judge in style["judge"] if lows.get((f"{CROSS_HITS} {judge}", control), 0.0) <= 0]
        if beaten:
            reasons.append(f"no more than {control} by {', '.join(beaten)}")
    lost = -float(topic["stay_gain"][0])
    if lost > 0.05:
        reasons.append(f"the topic probe's share falls by {100 * lost:.1f} points")
    return reasons


def _judge_row(row: dict[str, Any], targets: str) -> list[str]:
    shown = [row["condition"], str(row["n"]), _share(row, "rate"), _rise(row, "gain")]
    return [*shown, _share(row, "stay"), _rise(row, "stay_gain")] if targets == "cross" else shown


def _on_topic(style: pl.DataFrame) -> str:
    """Mean over judges of style of the gain among pairs whose topic stayed, and their number."""
    gain, n = style["on_topic_gain"].mean(), max(style["on_topic_n"])
    return f"n/a ({n})" if gain is None else f"{100 * float(gain):+.1f} ({n})"  # type: ignore[arg-type]


def _contrast_table(contrasts: pl.DataFrame) -> str:
    rows = []
    for row in contrasts.iter_rows(named=True):
        measure, judge = row["measure"].split(" ", 1)
        targets = "cross" if measure == CROSS_HITS else "own"
        found = f"{100 * row['difference']:+.1f} [{100 * row['low']:+.1f}, {100 * row['high']:+.1f}]"
        rows.append([judge, targets, row["against"], found, str(row["n_questions"])])
    return pipes(("judge", "targets", "steered against", "difference in points", "questions"), rows)


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
