"""The steering study: runs of the whole chain that differ in their seed, pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.errors import InputError
from sociolect.evaluation.bootstrap import NestedBootstrap
from sociolect.evaluation.by_judge import by_judge, judge_contrasts, seen_by_all
from sociolect.evaluation.comparison import contrasts
from sociolect.evaluation.gained import share_meant, top_gained
from sociolect.evaluation.judge_page import (
    AGREEMENT_HEADER,
    JUDGE_NOTE,
    SHIFT_HEADER,
    SHIFT_NOTE,
    agreement_rows,
    claim_of,
    judge_tables,
    shift_rows,
)
from sociolect.evaluation.renderings import pipes
from sociolect.generation.conditions import CONTROLS, STEERED
from sociolect.judges.agreement import agreement_table

__all__ = ["Pooled", "SeedRun", "pool_seeds", "pooled_judges_page", "pooled_page"]

_IDS = ("question_id", "request_id", "reference_id")
_SEED_HEADER = (
    *("seed", "chosen on val", "correct changes, %", "random", "shuffled", "other group", "log perplexity"),
    *("cosine of groups", "named, of top 5 gained", "planted, of top 5 gained"),
)


@dataclass(frozen=True)
class SeedRun:
    """What one run of the chain left behind for an experiment.

    Attributes:
        seed: of the run.
        scores: SCORES, of conditions that all groups have.
        judged: JUDGED.
        by_judge: BY_JUDGE, for the ceilings.
        choice: choice.json.
        weights: weights.json.
        attributes: the catalogue's names, in the order of style vectors.
        planted: group -> attributes that it was made with; empty for real text.
    """

    seed: int
    scores: pl.DataFrame
    judged: pl.DataFrame
    by_judge: pl.DataFrame
    choice: Mapping[str, Any]
    weights: Mapping[str, Any]
    attributes: Sequence[str]
    planted: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Pooled:
    """Tables over all seeds: BY_JUDGE, CONTRASTS, AGREEMENT, and a row of figures per seed."""

    table: pl.DataFrame
    contrasts: pl.DataFrame
    agreement: pl.DataFrame
    seeds: list[list[str]]


def pool_seeds(runs: Sequence[SeedRun], resamples: int, seed: int, confidence: float) -> Pooled:
    """Pool the runs, by the conditions that all of them have: the bootstrap draws runs, then questions within them;
    differences are paired within runs; a ceiling is the mean over runs.

    Raises:
        InputError: there is no run.
    """
    if not runs:
        raise InputError("the steering study needs at least one run")
    common = set.intersection(*(set(run.scores["condition"].unique()) for run in runs))
    runs = [replace(run, scores=run.scores.filter(pl.col("condition").is_in(list(common)))) for run in runs]
    # vectors are as long as the catalogue and the net of their run
    marked = [_marked(run.scores.drop("style", "embedding"), run.seed) for run in runs]
    scores = pl.concat(marked)
    judged = pl.concat([_marked(run.judged, run.seed) for run in runs])
    ceilings = pl.concat([run.by_judge.select("judge", "ceiling").unique() for run in runs]).drop_nulls()
    ceilings = ceilings.group_by("judge").agg(macro=pl.col("ceiling").mean()).sort("judge")
    of_run = [str(run.seed) for run, frame in zip(runs, marked, strict=True) for _ in range(frame.height)]
    bootstrap = NestedBootstrap(scores["question_id"].to_list(), of_run, resamples, seed, confidence)
    seen = seen_by_all(scores, judged)
    table = by_judge(seen, ceilings.with_columns(group=pl.lit(None, dtype=pl.String)), bootstrap)
    voters = table.filter(pl.col("sees") != "question").select("judge", "condition", "targets", "gain")
    by_judges = judge_contrasts(seen, bootstrap)
    own = contrasts(scores, bootstrap)
    return Pooled(table, pl.concat([own, by_judges]), agreement_table(voters), [_seed_row(run) for run in runs])


def pooled_page(title: str, pooled: Pooled) -> str:
    """What the study says, seed by seed and over all, as Markdown."""
    parts = [f"# {title}"]
    parts += [
        f"{len(pooled.seeds)} runs of the whole chain, each with its own seed. Correct changes: share of texts that "
        "came to the target's group embedding from elsewhere. Intervals draw runs, and questions within them.",
        pipes(_SEED_HEADER, pooled.seeds),
        "## Steering against its controls, over all seeds",
        pipes(("against", "measure", "difference in points", "questions"), _control_rows(pooled.contrasts)),
    ]
    if (pooled.table["targets"] == "cross").any():
        parts += ["## Style moves, topic stays", SHIFT_NOTE, pipes(SHIFT_HEADER, shift_rows(pooled.table))]
        parts.append(claim_of(pooled.table, pooled.contrasts))
    return "\n\n".join(parts) + "\n"


def pooled_judges_page(title: str, pooled: Pooled) -> str:
    """Every judge's table over all seeds, and their agreement, as Markdown."""
    parts = [f"# {title}", JUDGE_NOTE]
    for heading, header, rows in judge_tables(pooled.table):
        parts += [f"## {heading}", pipes(header, rows)]
    parts += ["## Agreement of judges", pipes(AGREEMENT_HEADER, agreement_rows(pooled.agreement))]
    return "\n\n".join(parts) + "\n"


def _marked(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Ids that no other run has."""
    there = [name for name in _IDS if name in frame.columns]
    return frame.with_columns(pl.format(f"{seed}/{{}}", pl.col(name)).alias(name) for name in there)


def _seed_row(run: SeedRun) -> list[str]:
    own = run.scores.filter(pl.col("target") == pl.col("question_group"))

    def share(condition: str) -> str:
        rows = own.filter(pl.col("condition") == condition)["changed_to_target"]
        return f"{100 * float(rows.mean()):.1f}" if len(rows) else "n/a"  # type: ignore[arg-type]

    def perplexity(condition: str) -> float:
        return float(own.filter(pl.col("condition") == condition)["log_perplexity"].mean())  # type: ignore[arg-type]

    choice, names = run.choice, ("steered (random)", "steered (shuffled)", "steered (other group)")
    cosines = [pair["mean"] for pair in run.weights["cosines"] if pair["method"] == choice["method"]]
    gained = top_gained(run.scores, run.attributes)
    meant = [share_meant(gained, run.weights["named"]), share_meant(gained, run.planted)]
    return [
        str(run.seed),
        f"{choice['method']}, block {'-'.join(map(str, choice['layers']))}, {choice['alpha']:g}",
        share(STEERED),
        *(share(name) for name in names),
        f"{perplexity('question'):.2f}, steered {perplexity(STEERED):.2f}",
        f"{np.mean(cosines):.2f}" if cosines else "n/a",
        *("n/a" if value is None else f"{100 * value:.0f} %" for value in meant),
    ]


def _control_rows(table: pl.DataFrame) -> list[list[str]]:
    measures = ["hit_rate", "correct_change_rate", "group_change_rate"]
    wanted = table.filter((pl.col("condition") == STEERED) & pl.col("measure").is_in(measures))
    wanted = wanted.filter(pl.col("against").is_in([*CONTROLS, "question"]))
    rows = []
    for row in wanted.iter_rows(named=True):
        found = f"{100 * row['difference']:+.1f} [{100 * row['low']:+.1f}, {100 * row['high']:+.1f}]"
        rows.append([row["against"], row["measure"].replace("_", " "), found, str(row["n_questions"])])
    return rows
