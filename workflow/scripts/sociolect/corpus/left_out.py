"""What a run leaves out of its tables, in one list: rows, groups, answers that are not drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from sociolect.common.schemas import LEFT_OUT
from sociolect.corpus.cleaning import BLANK, EXCLUSIONS, LARGE_SHARE, UNKNOWN, large_authors
from sociolect.settings.base import Experiment

__all__ = ["list_left_out", "shown_left_out"]

# rules of the import that leave answers out, or what makes them independent
_RULES = {
    BLANK: "blank rows",
    UNKNOWN: "unknown authors by name (corpus.missing_values), taken for different people",
    **{rule: f"left out: {rule}" for rule in EXCLUSIONS},
}
# steps of sampling that leave groups or answers out
_STEPS = {
    "below_minimum": "group left out: below sampling.minimum",
    "empty_part": "group left out: a part of it is empty",
    "dropped_disjoint": "dropped: their author is in another part than their question",
}
NOT_DRAWN = "not drawn: more than a part takes of sampling.per_group"
_LISTED = 4


def list_left_out(
    corpora: Mapping[str, pl.DataFrame],
    funnels: Mapping[str, pl.DataFrame],
    samples: Mapping[str, pl.DataFrame],
    sampling: pl.DataFrame,
    experiments: Mapping[str, Experiment],
) -> pl.DataFrame:
    """List what is left out on the way from the tables to the groups of the experiments.

    Args:
        corpora: split -> CORPUS.
        funnels: split -> CORPUS_FUNNEL.
        samples: split -> SAMPLES.
        sampling: SAMPLING_FUNNEL.
        experiments: of the config.

    Returns:
        A frame of schema LEFT_OUT.
    """
    rows: list[tuple[str, str | None, str, int]] = []
    for split, corpus in corpora.items():
        place = f"split {split}"
        counted = dict(funnels[split].select("rule", "n_removed").iter_rows())
        rows += [(place, None, said, counted[rule]) for rule, said in _RULES.items() if counted.get(rule)]
        rows += [
            (place, group, f"one author, {author!r}, wrote more than {LARGE_SHARE:g} of the group", n)
            for group, author, n, _ in large_authors(corpus)
        ]
        rows += [(place, group, loss, n) for group, loss, n in _sampled(sampling.filter(split=split))]
    for name, experiment in experiments.items():
        rows += [(f"experiment {name}", *row) for row in _one_sided(samples, experiment)]
    return LEFT_OUT.frame([dict(zip(LEFT_OUT.columns, row, strict=True)) for row in rows])


def shown_left_out(left_out: pl.DataFrame) -> list[str]:
    """A line for each kind of loss in each place, the groups of a kind together.

    Args:
        left_out: a frame of schema LEFT_OUT.
    """
    lines = []
    for (place, loss), same in left_out.group_by("place", "loss", maintain_order=True):
        groups = same["group"].drop_nulls().sort().to_list()
        more = f" and {len(groups) - _LISTED} more" if len(groups) > _LISTED else ""
        named = f" ({', '.join(groups[:_LISTED])}{more})" if groups else ""
        lines.append(f"{place}: {loss}: {same['n_answers'].sum()} answers{named}")
    return lines


def _sampled(sampling: pl.DataFrame) -> Iterator[tuple[str, str, int]]:
    """(group, what is left out, answers) of a split's funnel."""
    left_out = set(sampling.filter(pl.col("step").is_in(["below_minimum", "empty_part"]))["group"])
    for step, said in _STEPS.items():
        for group, n in sampling.filter(pl.col("n_answers") > 0, step=step).select("group", "n_answers").iter_rows():
            if step != "dropped_disjoint" or group not in left_out:
                yield group, said, n
    numbers = dict.fromkeys(("corpus", "dropped_disjoint", "drawn"), pl.DataFrame())
    for step in numbers:
        numbers[step] = sampling.filter(step=step).group_by("group").agg(pl.col("n_answers").sum().alias(step))
    joined = numbers["corpus"].join(numbers["dropped_disjoint"], on="group", how="left")
    joined = joined.join(numbers["drawn"], on="group", how="inner").fill_null(0)
    rest = joined.with_columns(n=pl.col("corpus") - pl.col("dropped_disjoint") - pl.col("drawn"))
    for group, n in rest.filter(pl.col("n") > 0).sort("group").select("group", "n").iter_rows():
        yield group, NOT_DRAWN, n


def _one_sided(samples: Mapping[str, pl.DataFrame], experiment: Experiment) -> Iterator[tuple[str, str, int]]:
    """Groups that an experiment could be fitted on or asked, not both: (group, why it is left out, answers)."""
    fit = pl.concat([samples[split].select("answer_id", "group") for split in experiment.fit]).unique("answer_id")
    ask = samples[experiment.ask]
    for have, lacks, said in (
        (fit, ask, f"group left out: in {', '.join(experiment.fit)} but not in {experiment.ask}, which is asked"),
        (ask, fit, f"group left out: in {experiment.ask}, which is asked, but not in {', '.join(experiment.fit)}"),
    ):
        alone = have.filter(~pl.col("group").is_in(lacks["group"].unique().implode()))
        for group, n in alone.group_by("group").len().sort("group").iter_rows():
            yield group, said, n
