"""From scores to the comparison: the eight rows, all others below the line, paired contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.schemas import COMPARISON, CONTRASTS, TEXT_METRICS
from sociolect.evaluation.bootstrap import ClusterBootstrap, holm, mcnemar
from sociolect.evaluation.damage import distinct_across, words_of
from sociolect.generation.conditions import BASELINE, CONDITIONS, CONTROLS, NOISE_FLOOR, ROWS, ordered, unsteered

__all__ = ["CROSS", "compare", "contrasts", "of_all_groups", "only_some_groups", "rows_below", "rows_of_some"]

CROSS = " (cross targets)"
_PAIR = ["question_id", "question_group", "target", "sample"]
_MEASURES = {"hit_rate": "hit", "correct_change_rate": "changed_to_target", "group_change_rate": "changed"}


def compare(scores: pl.DataFrame, texts: Mapping[str, str], bootstrap: ClusterBootstrap) -> pl.DataFrame:
    """The COMPARISON table: exactly the eight conditions, in the order of ROWS.

    Only generations towards the question's own group are counted. Row 1 against itself is null for metrics 1 to 3;
    a condition without any generation is there with n = 0 and nulls.

    Args:
        scores: SCORES.
        texts: request id -> text.
        bootstrap: of all questions.
    """
    own = scores.filter(pl.col("target") == pl.col("question_group"))
    return _table([(name, own.filter(pl.col("condition") == name)) for name in ROWS], own, texts, bootstrap)


def rows_below(scores: pl.DataFrame, texts: Mapping[str, str], bootstrap: ClusterBootstrap) -> pl.DataFrame:
    """What stands below the line, with the same columns: controls, what people would do instead, every method by
    itself; and, where asked for, every condition towards other groups ("... (cross targets)").

    What was not generated is not there.
    """
    own, cross = scores.filter(own_target := pl.col("target") == pl.col("question_group")), scores.filter(~own_target)
    known = [name for name in ordered(scores["condition"].unique()) if name not in ROWS]
    rows = [(name, own.filter(pl.col("condition") == name)) for name in known]
    rows += [(name + CROSS, cross.filter(pl.col("condition") == name)) for name in (*ROWS, *known)]
    return _table([(name, frame) for name, frame in rows if frame.height], scores, texts, bootstrap)


def only_some_groups(scores: pl.DataFrame) -> dict[str, list[str]]:
    """Conditions that some group has no generations for -> the groups that have: a method that cannot steer all."""
    own = scores.filter(pl.col("target") == pl.col("question_group"))
    names = sorted(own["target"].unique())
    have = {str(c): sorted(frame["target"].unique()) for (c,), frame in own.group_by("condition")}
    return {condition: groups for condition, groups in sorted(have.items()) if groups != names}


def of_all_groups(scores: pl.DataFrame) -> pl.DataFrame:
    """SCORES without the conditions that only some groups have: all others can be compared."""
    return scores.filter(~pl.col("condition").is_in(list(only_some_groups(scores))))


def rows_of_some(scores: pl.DataFrame, texts: Mapping[str, str], bootstrap: ClusterBootstrap) -> pl.DataFrame:
    """A table of its own, with the same columns, for a condition that only some groups have: beside it row 1 and
    `steered` of the questions of these groups. Empty where all conditions have all groups."""
    tables = [COMPARISON.empty()]
    own = scores.filter(pl.col("target") == pl.col("question_group"))
    for condition, groups in only_some_groups(scores).items():
        part = own.filter(pl.col("target").is_in(groups))
        shown = [(name, part.filter(pl.col("condition") == name)) for name in (BASELINE, "steered", condition)]
        table = _table(shown, part, texts, bootstrap)
        tables.append(table if len(tables) == 1 else table.filter(pl.col("condition") == condition))
    return pl.concat(tables)


def contrasts(scores: pl.DataFrame, bootstrap: ClusterBootstrap) -> pl.DataFrame:
    """The CONTRASTS table: every row against row 1 and against the noise floor, steering against its controls and
    against the same prompt without steering.

    Differences are taken within pairs of the same question, target and sample; pairs that only one of the two rows
    has are left out. Row 1 never changes against itself, so that a change rate's difference to row 1 is the rate;
    the difference to the noise floor is the one to read.
    """
    own = scores.filter(pl.col("target") == pl.col("question_group"))
    frames = {str(name): frame for (name,), frame in own.partition_by("condition", as_dict=True).items()}
    wanted = [(name, BASELINE) for name in (*ROWS[1:], *CONTROLS)]
    wanted += [(name, NOISE_FLOOR) for name in ROWS[1:]]
    wanted += [("steered", name) for name in CONTROLS if CONDITIONS[name].method is not None]
    wanted += [(name, BASELINE) for name in ordered(frames) if name not in CONDITIONS]
    # the others' same prompt without steering is row 1, which stands there already
    wanted += [(name, unsteered(name)) for name in ROWS if unsteered(name) not in (name, BASELINE)]
    rows = []
    for name, against in wanted:
        if name not in frames or against not in frames:
            continue
        for measure, column in _MEASURES.items():
            pair = _paired(frames[name], frames[against], column)
            difference = pair[column].cast(pl.Float64) - pair["other"].cast(pl.Float64)
            interval = bootstrap.interval(pair["question_id"].to_list(), difference.to_numpy())
            if interval is not None:
                mean = float(difference.mean())  # type: ignore[arg-type]
                rows.append((name, against, measure, mean, *interval, pair["question_id"].n_unique()))
    return CONTRASTS.frame(rows)


def _table(
    rows: list[tuple[str, pl.DataFrame]], scores: pl.DataFrame, texts: Mapping[str, str], bootstrap: ClusterBootstrap
) -> pl.DataFrame:
    baseline = scores.filter(pl.col("condition") == BASELINE)
    records = [_row(name, frame, baseline, bootstrap) for name, frame in rows]
    for record, (_, frame) in zip(records, rows, strict=True):
        record["distinct_across"] = distinct_across([words_of(texts[i]) for i in frame["request_id"]], 2)
    for record, p in zip(records, holm([r["p_value"] for r in records]), strict=True):
        record["p_holm"] = p
    return COMPARISON.frame(records)


def _row(name: str, frame: pl.DataFrame, baseline: pl.DataFrame, bootstrap: ClusterBootstrap) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(COMPARISON.columns)
    row |= {"condition": name, "n": frame.height, "n_eligible": int(frame["eligible"].sum())}
    for column, source in (("n_zero", "zero"), ("n_ties", "tie"), ("n_empty", "empty"), ("n_truncated", "truncated")):
        row[column] = int(frame[source].sum())
    if frame.height == 0:
        return row
    questions = frame["question_id"].to_list()

    def with_interval(key: str, values: pl.Series) -> None:
        numbers = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        interval = bootstrap.interval(questions, numbers)
        if interval is not None:
            row[key] = float(np.nanmean(numbers))
            row[f"{key}_low"], row[f"{key}_high"] = interval

    with_interval("hit_rate", frame["hit"])
    row["topic_rate"] = _mean((frame["topic"] == frame["question_group"]).fill_null(value=False))
    row["relevance"] = _mean(frame["relevance"])
    row["eos_rate"] = _mean(~(frame["truncated"] | frame["stopped"]))
    row["stop_rate"] = _mean(frame["stopped"])
    for column in ("log_perplexity", *TEXT_METRICS, "length_ratio"):
        row[column] = _mean(frame[column])
    if name.removesuffix(CROSS) == BASELINE:
        row["n_zero"] = 0  # against itself nothing is a direction, which says nothing
        return row
    row["away_rate"] = _mean(frame["away"])
    row["group_changes"], row["correct_changes"] = int(frame["changed"].sum()), int(frame["changed_to_target"].sum())
    row["losses"] = int(frame["lost_target"].sum())
    row["net_changes"] = row["correct_changes"] - row["losses"]
    row["eligible_change_rate"] = _mean(frame.filter("eligible")["changed_to_target"])
    with_interval("group_change_rate", frame["changed"])
    with_interval("correct_change_rate", frame["changed_to_target"])
    with_interval("direction_distance", frame["direction"])
    for column in ("direction_centred", "direction_to_target", "direction_rank"):
        row[column] = _mean(frame[column])
    row["rank1_rate"] = _mean(frame["direction_rank"].drop_nulls() == 1)
    if name.startswith("steered"):
        row["matched_change_rate"] = _mean(frame["matched_changed"])
        row["matched_correct_rate"] = _mean(frame["matched_to_target"])
        row["matched_direction_distance"] = _mean(frame["matched_direction"])
    # null where one of the two texts is empty
    row["topic_change_rate"] = _mean((frame["topic"] != frame["reference_topic"]).fill_null(value=False))
    pair = _paired_with_reference(frame, baseline)
    row["p_value"] = mcnemar(pair["hit"].to_numpy(), pair["other"].to_numpy())
    return row


def _paired(frame: pl.DataFrame, other: pl.DataFrame, column: str) -> pl.DataFrame:
    """Rows of both with the same question, target and sample: `column` of the first, `other` of the second."""
    return frame.select(*_PAIR, column).join(
        other.select(*_PAIR, pl.col(column).alias("other")), on=_PAIR, how="inner", maintain_order="left"
    )


def _paired_with_reference(frame: pl.DataFrame, baseline: pl.DataFrame) -> pl.DataFrame:
    """The frame with its reference's hit on the same target as `other`.

    Raises:
        InputError: a reference is not among row 1's generations.
    """
    names = {"request_id": "reference_id", "nearest": "other_nearest", "empty": "other_empty"}
    other = baseline.select(pl.col(name).alias(alias) for name, alias in names.items())
    pair = frame.select("hit", "target", "reference_id")
    pair = pair.join(other, on="reference_id", how="left", maintain_order="left")
    if pair["other_nearest"].null_count():
        lost = pair.filter(pl.col("other_nearest").is_null())["reference_id"][0]
        raise InputError(f"reference {lost!r} is not among the generations of {BASELINE!r}; score them again")
    return pair.with_columns(((pl.col("other_nearest") == pl.col("target")) & ~pl.col("other_empty")).alias("other"))


def _mean(values: pl.Series) -> float | None:
    mean = values.cast(pl.Float64).mean()
    return None if mean is None else float(mean)  # type: ignore[arg-type]
