"""Answers drawn for a costly look: balanced over groups, and within a group over splits, for each part."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from sociolect.common.errors import InputError
from sociolect.common.seeds import stable_hash

COLUMNS = ("answer_id", "split", "group", "author", "part", "answer")
PARTS = ("train", "val", "test")


def choose_answers(samples: Mapping[str, pl.DataFrame], n_answers: int, n_heldout: int, seed: int) -> pl.DataFrame:
    """Draw `n_answers` of train, and `n_heldout` of val and of test each.

    Every group gives the same number (one more or less), and within a group every split, as long as it has
    answers left. An answer that is in several splits is drawn once, for the split whose turn it was. The draw goes by a
    stable hash of the answer's id, so a larger number only adds answers.

    Args:
        samples: split -> frame of schema SAMPLES.
        n_answers: answers of train; all, where there are fewer.
        n_heldout: the same for val, and for test.
        seed: of this stage.

    Returns:
        A frame of answer_id, split, group, author, part, answer, sorted by answer_id.

    Raises:
        InputError: there is no train answer, or one id stands for two different answers.
    """
    pool = _pool(samples)
    numbers = {"train": n_answers, "val": n_heldout, "test": n_heldout}
    drawn = [_draw(pool.filter(pl.col("part") == part), number, seed) for part, number in numbers.items()]
    if drawn[0].is_empty():
        raise InputError(f"no answer of part train in the samples of {', '.join(samples)}: nothing to draw")
    return pl.concat(drawn).select(COLUMNS).sort("answer_id")


def _pool(samples: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    frames = [frame.with_columns(split=pl.lit(split)).select(COLUMNS) for split, frame in samples.items()]
    if not frames:
        raise InputError("no samples are given: name at least one split")
    pool = pl.concat(frames)
    unlike = (
        pool.group_by("answer_id")
        .agg(pl.struct("group", "part", "answer").n_unique().alias("n"), pl.col("split").unique().sort())
        .filter(pl.col("n") > 1)
        .sort("answer_id")
    )
    if unlike.height:
        answer_id, splits = unlike["answer_id"][0], ", ".join(unlike["split"][0])
        raise InputError(
            f"samples of {splits}: answer_id {answer_id!r} has another text, group or part in another row; "
            "one id must stand for one answer over all splits, so give such answers ids of their own"
        )
    return pool


def _draw(part: pl.DataFrame, number: int, seed: int) -> pl.DataFrame:
    """The first `number` by turn: groups take turns, and within a group its splits do."""
    part = part.with_columns(
        draw=pl.col("answer_id").map_elements(lambda a: stable_hash(seed, "describe", a), return_dtype=pl.UInt64),
        split_turn=pl.col("split").map_elements(lambda s: stable_hash(seed, "split", s), return_dtype=pl.UInt64),
        group_turn=pl.col("group").map_elements(lambda g: stable_hash(seed, "group", g), return_dtype=pl.UInt64),
    )
    rows: list[dict[str, object]] = []
    for _, group in part.sort("group").group_by("group", maintain_order=True):
        queues = [
            iter(queue.sort("draw", "answer_id").iter_rows(named=True))
            for _, queue in group.sort("split_turn", "split").group_by("split", maintain_order=True)
        ]
        seen: set[str] = set()
        while queues:
            left = []
            for queue in queues:
                row = next((r for r in queue if r["answer_id"] not in seen), None)
                if row is not None:
                    rows.append(row | {"turn": len(seen)})
                    seen.add(row["answer_id"])
                    left.append(queue)
            queues = left
    return pl.DataFrame(rows, schema={**part.schema, "turn": pl.Int64}).sort("turn", "group_turn", "group").head(number)
