"""Which groups take part, and which of their answers: balanced draws from train, val and test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from sociolect.common.errors import InputError, refuse_all
from sociolect.common.schemas import SAMPLES, SAMPLING_FUNNEL
from sociolect.common.seeds import seed_of
from sociolect.corpus.partition import count_units, partition_answers
from sociolect.corpus.spellings import refuse_near_equal
from sociolect.corpus.spreading import PARTS, stable_order
from sociolect.settings.corpus import SamplingSettings

# the split that is counted and drawn by question
BY_QUESTION = "askx"
_OWN = "ids count over all splits: where each table numbers its own, write {written}"
# id -> what is the same of it in all splits -> what to do where it is not
_ONE_OVER_SPLITS = {
    "answer_id": {
        "question_id": f"give each answer its own answer_id ({_OWN})",
        "answer": f"give each answer its own answer_id ({_OWN})",
        "group": "take it out of one of them",
        "author": "write the same author",
    },
    "question_id": {"question": f"give each text its own question_id ({_OWN})"},
}


def sample_groups(
    corpora: Mapping[str, pl.DataFrame], settings: SamplingSettings, run_seed: int
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Choose the groups, part their answers and draw the samples.

    Args:
        corpora: corpus (schema CORPUS) of each split.
        settings: minima, sizes of the draws, shares of the parts.
        run_seed: config key `seed`.

    Returns:
        Samples of each split (schema SAMPLES, sorted by answer_id) and the funnel (schema SAMPLING_FUNNEL). A group
        below the minimum, or with a part left empty, is left out of that split and listed. Neither the order of rows
        nor a group that is left out for its size changes the draw of the others.

    Raises:
        InputError: fewer than two groups are left in a split, an answer or question means two things in two splits,
            groups have near-equal names, a draw is too small for three parts, or a part has fewer answers than
            `settings.min_part`.
    """
    rows = pl.concat([frame.with_columns(split=pl.lit(split)) for split, frame in sorted(corpora.items())])
    refuse_near_equal(dict(rows.group_by("group").len().iter_rows()), f"splits {', '.join(sorted(corpora))}")
    refuse_all(across_split_faults(corpora))
    counts = _counts(rows)
    funnel = [counts.with_columns(step=pl.lit("corpus"), part=pl.lit("all"))]
    minimum = settings.minimum.model_dump()
    large = pl.col("size") >= pl.col("split").replace_strict(minimum, return_dtype=pl.Int64)
    funnel.append(counts.filter(~large).with_columns(step=pl.lit("below_minimum"), part=pl.lit("all")))
    eligible = counts.filter(large)
    for split in sorted(corpora):
        _require_two_groups(eligible, counts, split, minimum[split], [])
    rows = rows.join(eligible.select("split", "group"), on=["split", "group"], how="semi")
    parted, broken, listed_parts = _part(rows, eligible, settings, run_seed)
    funnel += listed_parts
    samples: dict[str, pl.DataFrame] = {}
    for split in sorted(corpora):
        reasons = _why_empty(rows, broken.filter(split=split)["group"].sort().to_list(), split)
        _require_two_groups(_counts(parted), counts, split, minimum[split], list(reasons))
        per_group = getattr(settings.per_group, split) or minimum[split]
        drawn, steps = _draw(parted.filter(pl.col("split") == split), split, per_group, settings, run_seed)
        samples[split] = drawn.select(list(SAMPLES.columns)).sort("answer_id")
        funnel.append(steps)
    _refuse_small_parts(samples, settings)
    columns = SAMPLING_FUNNEL.types()
    listed = pl.concat([frame.select(list(columns)) for frame in funnel], how="vertical_relaxed").cast(columns)  # type: ignore[arg-type]
    return samples, listed


def _part(
    rows: pl.DataFrame, eligible: pl.DataFrame, settings: SamplingSettings, run_seed: int
) -> tuple[pl.DataFrame, pl.DataFrame, list[pl.DataFrame]]:
    """Answers with their part, groups (split, group) without one of the parts, and what goes into the funnel."""
    parted = rows.join(_partition(rows, settings, run_seed), on=["split", "answer_id"])
    lost = _counts(parted.filter(pl.col("part").is_null()))
    dropped = (
        eligible.select("split", "group")
        .join(lost, on=["split", "group"], how="left")
        .with_columns(pl.exclude("split", "group").fill_null(0), step=pl.lit("dropped_disjoint"), part=pl.lit("all"))
    )
    parted = parted.filter(pl.col("part").is_not_null())
    # the dropped answers are gone: only whole parts count from here on
    complete = parted.group_by("split", "group").agg(pl.col("part").n_unique() == len(PARTS))
    broken = eligible.select("split", "group").join(complete.filter("part"), on=["split", "group"], how="anti")
    empty = eligible.join(broken, on=["split", "group"], how="semi").with_columns(
        step=pl.lit("empty_part"), part=pl.lit("all")
    )
    return parted.join(broken, on=["split", "group"], how="anti"), broken, [dropped, empty]


def group_sizes(corpus: pl.DataFrame, split: str) -> dict[str, int]:
    """Group -> what `sampling.minimum` counts of it: its answers, or in askx its questions; by name."""
    counts = _counts(corpus.with_columns(split=pl.lit(split)))
    return dict(counts.select("group", "size").iter_rows())


def _partition(rows: pl.DataFrame, settings: SamplingSettings, run_seed: int) -> pl.DataFrame:
    per_question = pl.len().over("split", "group", "question_id")
    weight = pl.when(pl.col("split") == BY_QUESTION).then(1.0 / per_question).otherwise(1.0)
    return partition_answers(
        rows.with_columns(weight=weight),
        settings.parts,
        settings.max_component_share,
        seed_of(run_seed, "partition"),
    )


def _draw(
    rows: pl.DataFrame, split: str, per_group: int, settings: SamplingSettings, run_seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    quotas = settings.parts.quotas(per_group)
    rows = rows.sort("answer_id")
    rows = rows.with_columns(
        order=pl.Series(stable_order(seed_of(run_seed, "draw", split), rows["answer_id"].to_list()))
    )
    cell = ["group", "part"]
    quota = pl.col("part").replace_strict(quotas, return_dtype=pl.Int64)
    if split == BY_QUESTION:
        asked = rows.select(*cell, "question_id").unique().sort("question_id", *cell)
        ranks = stable_order(seed_of(run_seed, "draw", split, "question"), asked["question_id"].to_list())
        asked = asked.with_columns(rank=pl.Series(ranks))
        asked = asked.filter(pl.col("rank").rank("ordinal").over(cell) <= quota)
        within = pl.col("order").rank("ordinal").over("group", "question_id") <= settings.answers_per_question
        drawn = rows.join(asked, on=[*cell, "question_id"], how="semi").filter(within)
    else:
        drawn = rows.filter(pl.col("order").rank("ordinal").over(cell) <= quota)
    counts = _counts(drawn, "part")
    missing = counts.with_columns(short=(quota - pl.col("size")).cast(pl.Int64), step=pl.lit("shortfall"))
    by_question = split == BY_QUESTION
    missing = missing.with_columns(
        n_answers=pl.lit(0, pl.Int64) if by_question else pl.col("short"),
        n_questions=pl.col("short") if by_question else pl.lit(0, pl.Int64),
    )
    columns = ["split", "group", "part", "step", "n_answers", "n_questions"]
    return drawn, pl.concat([counts.with_columns(step=pl.lit("drawn")).select(columns), missing.select(columns)])


def _counts(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Answers, questions and size (what the split is counted by) of each group."""
    counts = (
        rows.group_by("split", "group", *by)
        .agg(n_answers=pl.len().cast(pl.Int64), n_questions=pl.col("question_id").n_unique().cast(pl.Int64))
        .sort("split", "group", *by)
    )
    size = pl.when(pl.col("split") == BY_QUESTION).then("n_questions").otherwise("n_answers")
    return counts.with_columns(size=size)


def _require_two_groups(left: pl.DataFrame, counts: pl.DataFrame, split: str, minimum: int, reasons: list[str]) -> None:
    names = left.filter(pl.col("split") == split)["group"].to_list()
    if len(names) >= 2:
        return
    unit = "questions" if split == BY_QUESTION else "answers"
    listed = ", ".join(
        f"{group} {size}" for group, size in counts.filter(pl.col("split") == split).select("group", "size").iter_rows()
    )
    said = f"split {split}: {len(names)} of the groups can take part, two are needed. "
    sizes = f"{unit.capitalize()} per group: {listed}. The minimum is {minimum}"
    # what cannot be parted is large enough: its size is no reason
    raise InputError(
        said
        + (f"{'; '.join(reasons)}. {sizes}" if reasons else f"{sizes}: lower sampling.minimum.{split} or add {unit}")
    )


def _why_empty(rows: pl.DataFrame, groups: list[str], split: str) -> Iterator[str]:
    """Why groups lack a part: what they are made of."""
    for group in groups:
        mine = rows.filter((pl.col("split") == split) & (pl.col("group") == group))
        questions, authors, units = (
            mine["question_id"].n_unique(),
            mine["author"].drop_nulls().n_unique(),
            count_units(mine),
        )
        known = f" and {authors} known authors" if authors else ""
        said = f"group {group!r}: its {mine.height} answers come from {questions} questions{known}"
        yield said + (
            f", in {units} sets that share neither; train, val and test need {len(PARTS)}: add questions"
            + (" or authors" if authors else "")
            if units < len(PARTS)
            else ", and answers that would join two parts are dropped: leave unknown authors empty, or raise "
            "sampling.max_component_share"
        )


def _refuse_small_parts(samples: Mapping[str, pl.DataFrame], settings: SamplingSettings) -> None:
    for split, frame in samples.items():
        sizes = frame.group_by("group", "part").len().filter(pl.col("len") < settings.min_part).sort("group", "part")
        if sizes.is_empty():
            continue
        listed = ", ".join(f"{group!r} {part} {n}" for group, part, n in sizes.head(12).iter_rows())
        more = f" and {sizes.height - 12} others" if sizes.height > 12 else ""
        raise InputError(
            f"split {split}: too few answers in a part: {listed}{more}; sampling.min_part is {settings.min_part}. Add "
            f"answers by other authors to other questions, raise sampling.per_group.{split}, take the group out, "
            "or lower sampling.min_part"
        )


def across_split_faults(corpora: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    """What is one thing in a split and another in the next, a line for answers and one for questions.

    Args:
        corpora: corpus (schema CORPUS) of each split.
    """
    rows = pl.concat([frame.with_columns(split=pl.lit(split)) for split, frame in sorted(corpora.items())])
    for key, values in _ONE_OVER_SPLITS.items():
        # the first that differs says it: tables that number their rows differ in everything
        for value, advice in values.items():
            kinds = rows.group_by(key).agg(pl.col(value).n_unique())
            unlike = kinds.filter(pl.col(value) > 1)[key].sort()
            if unlike.len():
                name = unlike[0]
                both = rows.filter(pl.col(key) == name).sort("split", value, nulls_last=True)
                both = both.unique(value, keep="first", maintain_order=True)
                places = " and ".join(
                    f"{value} {_short(text)} in split {split}"
                    for split, text in both.select("split", value).iter_rows()
                )
                written = " and ".join(repr(f"{split}-{name}") for split in dict.fromkeys(both["split"]))
                yield f"{key} {name!r} has {places} ({unlike.len()} such ids); {advice.format(written=written)}"
                break


def _short(text: str | None) -> str:
    return repr(text if text is None or len(text) <= 60 else text[:57] + "...")
