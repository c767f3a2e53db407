"""What was found and how sure it is: five sentences per experiment, made by rule from its tables.

Nothing is claimed that an interval does not carry: a rise counts where its whole interval lies above 0, and what is not
known is said as such.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from sociolect.evaluation.judge_page import doubts_of
from sociolect.generation.conditions import BASELINE, ROWS, STEERED
from sociolect.report.run_failures import failures_of
from sociolect.report.run_tables import ExperimentTables, RunTables, some

__all__ = ["Finding", "findings_note", "findings_of", "findings_text"]

_MEASURE = "hit_rate"


class Finding(NamedTuple):
    """One sentence, and what it is about."""

    about: str
    said: str


def findings_of(run: RunTables, e: ExperimentTables) -> list[Finding]:
    """Five sentences on an experiment: effect, control, judges, price in fluency, what failed.

    Args:
        run: tables of the run; e: tables of the experiment.
    """
    rises = _rises(e.contrasts)
    shown = [row for row in rises if row["low"] > 0]
    strongest = max(shown, key=_difference) if shown else None
    # of the row that the sentences are about, and of steering, which the run is made for
    focus = [strongest["condition"]] if strongest is not None else []
    focus += [row["condition"] for row in rises if row["condition"] == STEERED and STEERED not in focus]
    focus = focus or [max(rises, key=_difference)["condition"]] if rises else []
    return [
        Finding("Effect", _effect(e, rises, strongest)),
        Finding("Control", _control(e.contrasts, focus)),
        Finding("Judges", _judges(e, focus)),
        Finding("Price in fluency", _price(e.comparison, focus)),
        Finding("What failed", failures_of(run, e)),
    ]


def findings_note(confidence: float) -> str:
    """What the figures in the sentences are, and what they leave open.

    Args:
        confidence: level of the intervals.
    """
    return (
        "Written by rule from the tables of this run. A text counts for a group whose embedding is nearest to its own. "
        f"Points are percentage points; brackets hold {100 * confidence:g} % intervals, by paired bootstrap over "
        "questions, and are not adjusted for naming the largest of several rows. One run with one seed: "
        "`make study STUDY=steering` pools several."
    )


def findings_text(run: RunTables, found: Sequence[tuple[str, Sequence[Finding]]]) -> str:
    """The sentences of all experiments as Markdown.

    Args:
        run: tables of the run; found: name and sentences of each experiment.
    """
    parts = [f"# What was found: {run.run}"]
    for name, findings in found:
        lines = [f"{number}. **{about}.** {said}" for number, (about, said) in enumerate(findings, start=1)]
        parts += [f"## Experiment {name}", "\n".join(lines)]
    return "\n\n".join([*parts, findings_note(run.confidence)]) + "\n"


def _rises(contrasts: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Each of the seven rows against row 1, in the order of the table."""
    if not some(contrasts):
        return []
    rows = contrasts.filter(pl.col("against") == BASELINE, pl.col("measure") == _MEASURE).to_dicts()
    found = {row["condition"]: row for row in rows}
    return [found[name] for name in ROWS if name in found]


def _difference(row: dict[str, Any]) -> float:
    return float(row["difference"])


def _effect(e: ExperimentTables, rises: list[dict[str, Any]], strongest: dict[str, Any] | None) -> str:
    if not rises or not some(e.comparison):
        return "Not known: nothing was compared with the bare question."
    table = {row["condition"]: row for row in e.comparison.to_dicts()}
    groups = f", {e.groups.height} groups" if some(e.groups) else ""
    base = _percent(table[BASELINE]["hit_rate"]) if BASELINE in table else "n/a"
    if strongest is None:
        top = max(rises, key=_difference)
        n, questions = table[top["condition"]]["n"], top["n_questions"]
        return (
            f"None is shown: in none of {len(rises)} rows does the interval of the rise in texts of the target group "
            f"lie above 0 (n = {n} texts a row, {questions} questions{groups}; the bare question has {base}); the "
            f"largest rise is {_points(top)} points, of `{top['condition']}`{_below(rises)}."
        )
    own = table[strongest["condition"]]
    steered = next((row for row in rises if row["condition"] == STEERED and row is not strongest), None)
    clear = sum(row["low"] > 0 for row in rises)
    return (
        f"`{strongest['condition']}` has {_percent(own['hit_rate'])} of its {own['n']} texts "
        f"({strongest['n_questions']} questions{groups}) in the target group, the bare question {base}: "
        f"{_points(strongest)} points, the largest rise with an interval above 0 ({clear} of {len(rises)} rows have "
        f"one){_beside(steered)}{_below(rises)}."
    )


def _beside(steered: dict[str, Any] | None) -> str:
    """Steering without a word in the prompt, where another row is the strongest."""
    if steered is None:
        return ""
    doubt = "" if steered["low"] > 0 else ", which is not shown to be a rise"
    return f"; steering alone (`{STEERED}`) has {_points(steered)}{doubt}"


def _below(rises: list[dict[str, Any]]) -> str:
    lower = [f"`{row['condition']}` ({_points(row)})" for row in rises if row["high"] < 0]
    return f"; below the bare question lie {', '.join(lower)}" if lower else ""


def _control(contrasts: pl.DataFrame | None, focus: Sequence[str]) -> str:
    if not some(contrasts) or not focus:
        return "Not known: no control was compared."
    return _sentence("; ".join(_against(contrasts, name) for name in focus))


def _against(contrasts: pl.DataFrame, name: str) -> str:
    """A row against all that it is compared with but row 1."""
    rows = contrasts.filter(
        pl.col("condition") == name, pl.col("against") != BASELINE, pl.col("measure") == _MEASURE
    ).to_dicts()
    if not rows:
        return f"`{name}` has no control"
    least = min(rows, key=_difference)
    missed = [f"`{row['against']}` ({_points(row)})" for row in rows if row["low"] <= 0]
    if missed:
        return f"failed: `{name}` is not shown to have more texts in the target group than {_listed(missed)}"
    which = "its control" if len(rows) == 1 else f"each of its {len(rows)} controls, and least over"
    return f"`{name}` has more texts in the target group than {which} `{least['against']}`, by {_points(least)} points"


def _judges(e: ExperimentTables, focus: Sequence[str]) -> str:
    if not some(e.judges) or not focus:
        return "Not known: no judge has seen the texts."
    own = e.judges.filter(pl.col("targets") == "own", pl.col("sees") == "style", pl.col("condition") == focus[0])
    seen = own.filter(pl.col("gain_low") > 0)
    each = ", ".join(f"{row['judge']} {_points(row, 'gain')}" for row in own.drop_nulls("gain").to_dicts())
    said = (
        f"The rise by `{focus[0]}` has its interval above 0 in the eyes of {seen.height} of {own.height} judges of "
        f"style ({each})"
    )
    if own.height == 0:
        said = f"No judge of style has seen `{focus[0]}` on its own groups' questions"
    doubts = doubts_of(e.judges, e.judge_contrasts) if e.judge_contrasts is not None else None
    if doubts is None:
        return f"{said}; whether the topic stays is not known, as other groups' style was not asked for."
    if doubts:
        return f"{said}; on other groups' questions steering failed the study's rule: {'; '.join(doubts)}."
    kept = e.judges.filter(targets="cross", sees="topic", condition=STEERED).row(0, named=True)
    return (
        f"{said}; on other groups' questions every one sees the style more often in `{STEERED}` than in row 1, with "
        "random and with shuffled vectors, while what the topic probe sees of the question's group changes by "
        f"{_points(kept, 'stay_gain')} points."
    )


def _price(table: pl.DataFrame | None, focus: Sequence[str]) -> str:
    if not some(table) or not focus:
        return "Not known: no texts were compared."
    rows = {row["condition"]: row for row in table.to_dicts()}
    base = rows.get(BASELINE, {}).get("log_perplexity")
    return _sentence("; ".join(_cost(name, rows.get(name, {}), base) for name in focus) + " (means, without intervals)")


def _cost(name: str, row: dict[str, Any], base: float | None) -> str:
    own = row.get("log_perplexity")
    if own is None or base is None:
        return f"of `{name}` it is not known: no perplexity was measured of {'row 1' if base is None else 'its texts'}"
    parts = [
        f"`{name}` has {math.exp(own - base):.2f} times the perplexity of the bare question under the unsteered model "
        f"(log {own:.2f} after {base:.2f})"
    ]
    if row.get("longest_repeat") is not None:
        parts.append(f"{_percent(row['longest_repeat'])} of a text in its longest repeat")
    if row.get("n_truncated") and row["n"]:
        parts.append(f"{_percent(row['n_truncated'] / row['n'])} cut off")
    return ", ".join(parts)


def _points(row: dict[str, Any], name: str | None = None) -> str:
    """A difference in points with its interval."""
    keys = ("difference", "low", "high") if name is None else (name, f"{name}_low", f"{name}_high")
    value, *ends = (None if row[key] is None else 100 * row[key] for key in keys)
    interval = "" if None in ends else f" [{ends[0]:+.1f}, {ends[1]:+.1f}]"
    return f"{value:+.1f}{interval}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _percent(share: float | None) -> str:
    return "n/a" if share is None else f"{100 * share:.1f} %"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
