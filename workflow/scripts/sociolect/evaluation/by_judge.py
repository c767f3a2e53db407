"""The comparison as every judge sees it: style that moves and topic that stays, on own and on other targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.schemas import BY_JUDGE, CONTRASTS
from sociolect.evaluation.bootstrap import ClusterBootstrap
from sociolect.generation.conditions import BASELINE, STEERED, ordered

__all__ = ["CROSS_HITS", "HITS", "RELEVANCE", "by_judge", "judge_contrasts", "seen_by_all"]

RELEVANCE, TOPIC = "relevance", "topic"
# measures of the contrasts by judge, with its name after them
HITS, CROSS_HITS = "hit_rate", "cross_hit_rate"
_KEYS = ["request_id", "reference_id", "question_id", "question_group", "target", "condition", "sample"]


def seen_by_all(scores: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """What every judge says of every generation and of its reference, row 1 of the same question and sample.

    Args:
        scores: SCORES; the style model's own nearest group is the judge `sfam`, relevance another.
        judged: JUDGED.

    Returns:
        columns of `_KEYS`, judge, sees, hit (0 or 1, relevance: its value), stay (null for relevance), and
        reference_hit, reference_stay, which hold the reference against the same target.

    Raises:
        InputError: a judge has not judged all generations.
    """
    base = scores.select(_KEYS)
    nearest = scores.select(
        "request_id",
        judge=pl.lit("sfam"),
        sees=pl.lit("style"),
        group=pl.when(pl.col("empty")).then(None).otherwise(pl.col("nearest")),
    )
    # of what is scored: what is left out of the tables must not stand in for what was not judged
    known = judged.join(base, on="request_id", how="semi")
    seen = pl.concat([nearest, known.select("request_id", "judge", "sees", "group")])
    counts = seen.group_by("judge").len()
    short = counts.filter(pl.col("len") < scores.height)
    if short.height:
        raise InputError(f"judge {short['judge'][0]!r} has not judged all generations; judge the answers again")
    rows = base.join(seen, on="request_id").join(
        seen.select("judge", reference_id="request_id", reference_group="group"), on=["judge", "reference_id"]
    )

    def share(group: str, of: str) -> pl.Expr:
        # an empty text is in no group
        return (pl.col(group) == pl.col(of)).fill_null(value=False).cast(pl.Float64)

    votes = rows.select(
        *_KEYS,
        "judge",
        "sees",
        hit=share("group", "target"),
        stay=share("group", "question_group"),
        reference_hit=share("reference_group", "target"),
        reference_stay=share("reference_group", "question_group"),
    )
    own = scores.select("request_id", "relevance")
    relevance = base.join(own, on="request_id").join(
        own.rename({"request_id": "reference_id", "relevance": "reference_hit"}), on="reference_id"
    )
    nothing = pl.lit(None, dtype=pl.Float64)
    relevance = relevance.select(
        *_KEYS,
        judge=pl.lit(RELEVANCE),
        sees=pl.lit("question"),
        hit="relevance",
        stay=nothing,
        reference_hit="reference_hit",
        reference_stay=nothing,
    )
    return pl.concat([votes, relevance]).sort("judge", "request_id")


def by_judge(seen: pl.DataFrame, ceilings: pl.DataFrame, bootstrap: ClusterBootstrap) -> pl.DataFrame:
    """BY_JUDGE: a row for each judge, kind of targets and condition.

    Args:
        seen: of `seen_by_all`.
        ceilings: CEILINGS.
        bootstrap: of all questions: the same resamples for all rows, so that rows can be compared.
    """
    both = (pl.col("stay") == 1.0) & (pl.col("reference_stay") == 1.0)
    stayed = seen.filter((pl.col("judge") == TOPIC) & both)["request_id"].implode()
    seen = seen.with_columns(on_topic=pl.col("request_id").is_in(stayed))
    whole = ceilings.filter(pl.col("group").is_null())
    known = dict(whole.select("judge", "macro").iter_rows())
    own = pl.col("target") == pl.col("question_group")
    rows = []
    for (judge,), frame in seen.group_by("judge", maintain_order=True):
        for targets, part in (("own", frame.filter(own)), ("cross", frame.filter(~own))):
            for condition in ordered(part["condition"].unique()):
                row = _row(part.filter(pl.col("condition") == condition), condition, targets, bootstrap)
                rows.append(row | {"judge": judge, "ceiling": known.get(str(judge))})
    return BY_JUDGE.frame(rows)


def judge_contrasts(seen: pl.DataFrame, bootstrap: ClusterBootstrap) -> pl.DataFrame:
    """CONTRASTS by judge: steering against all other rows but row 1, on own targets, and, where they were asked for, on
    cross targets; paired."""
    own = pl.col("target") == pl.col("question_group")
    keys = ["question_id", "question_group", "target", "sample"]
    rows = []
    for (judge,), all_targets in seen.group_by("judge", maintain_order=True):
        for frame, measure in ((all_targets.filter(own), HITS), (all_targets.filter(~own), CROSS_HITS)):
            first = frame.filter(pl.col("condition") == STEERED).select(*keys, "hit")
            for name in ordered(set(frame["condition"].unique()) - {STEERED, BASELINE}):
                other = frame.filter(pl.col("condition") == name).select(*keys, other="hit")
                pair = first.join(other, on=keys, maintain_order="left").drop_nulls()
                difference = (pair["hit"] - pair["other"]).to_numpy()
                interval = bootstrap.interval(pair["question_id"].to_list(), difference)
                if interval is not None:
                    mean, n = float(difference.mean()), pair["question_id"].n_unique()
                    rows.append((STEERED, name, f"{measure} {judge}", mean, *interval, n))
    return CONTRASTS.frame(rows)


def _row(frame: pl.DataFrame, condition: str, targets: str, bootstrap: ClusterBootstrap) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(BY_JUDGE.columns)
    row |= {"sees": frame["sees"][0], "condition": condition, "targets": targets, "n": frame.height}
    questions = frame["question_id"].to_list()

    def with_interval(key: str, values: pl.Series) -> None:
        numbers = values.fill_null(float("nan")).to_numpy()
        interval = bootstrap.interval(questions, numbers)
        if interval is not None:
            row[key] = float(np.nanmean(numbers))
            row[f"{key}_low"], row[f"{key}_high"] = interval

    with_interval("rate", frame["hit"])
    row["stay"] = frame["stay"].mean()
    on_topic = frame.filter("on_topic").select(pl.col("hit") - pl.col("reference_hit")).to_series().drop_nulls()
    row |= {"on_topic_gain": on_topic.mean(), "on_topic_n": len(on_topic)}
    if condition != BASELINE:
        with_interval("gain", frame["hit"] - frame["reference_hit"])
        with_interval("stay_gain", frame["stay"] - frame["reference_stay"])
    return row
