"""Cutting components that hold too much of a group: questions and authors get a part each, few answers are dropped."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.sparse import coo_array

from sociolect.common.seeds import seed_of
from sociolect.corpus.spreading import PARTS, none_empty, spread, stable_order

__all__ = ["cut_components"]

# Rounds of moving questions to their authors and authors to their questions, and the power of a part's share that an
# author's count is divided by. Power 0 keeps most answers, but draws heavy authors into train and empties val and test
# of the small groups; power 1 fills those and keeps least.
ROUNDS = 8
DAMPING = 0.25
# Kinds of questions (the sets of splits and groups they occur in) that are rarer are cut as one kind.
RARE = 20


def cut_components(
    rows: pl.DataFrame, questions: list[str], portions: np.ndarray, alone: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, pl.DataFrame]:
    """Part of each question of the components that are cut, and which rows are kept.

    Authors are first spread in proportion, heavy ones first. Then, in turns, questions go where most of their answers'
    authors are, within the shares of each kind of question, and authors where most of their answers are. Where that
    leaves a group without a part (all answered the same five questions: most would keep train alone), its authors are
    spread by the shares.

    Args:
        rows: of the components.
        questions: all ids.
        portions: shares of the parts.
        alone: cells that have hardly a component that is not cut.
        seed: decides ties.
    """
    asked = rows["q"].unique().sort().to_numpy()
    writers = rows["u"].drop_nulls().unique().sort().to_numpy()
    distinct = rows.unique("answer_id", keep="first", maintain_order=True)
    q = np.searchsorted(asked, distinct["q"].to_numpy())
    known = distinct["u"].is_not_null().to_numpy()
    u = np.searchsorted(writers, distinct["u"].drop_nulls().to_numpy())
    edges = coo_array((np.ones(len(u)), (q[known], u)), shape=(len(asked), len(writers))).tocsr()
    kinds = _kinds(rows)
    sizes = np.bincount(q, minlength=len(asked)).astype(np.float64)
    ties = stable_order(seed_of(seed, "questions"), [questions[i] for i in asked])
    writer_part = _first_writer_parts(distinct.filter(known), portions, seed)
    spans = rows.select("q", "cell").unique().sort("q", "cell")
    unit, cell = np.searchsorted(asked, spans["q"].to_numpy()), spans["cell"].to_numpy()
    for _ in range(ROUNDS):
        question_part = _fill(edges @ np.eye(len(PARTS))[writer_part], kinds, sizes, portions, ties)
        none = np.zeros((len(alone), len(PARTS)), dtype=np.int64)
        question_part = none_empty(question_part, unit, cell, sizes[unit], none, alone, ties)
        counts = edges.T @ np.eye(len(PARTS))[question_part]
        writer_part = np.argmax(counts / portions**DAMPING, axis=1)
    # for these parts of the questions, the plain majority keeps most; a tie goes to the smaller part
    writer_part = np.argmax(counts - 1e-3 * portions, axis=1)
    row_part = question_part[np.searchsorted(asked, rows["q"].to_numpy())]
    kept = _kept(rows, row_part, writers, writer_part)
    bare = alone & (_held(rows["cell"].to_numpy(), row_part, len(alone)) > 0).all(axis=1)
    bare &= (_held(rows["cell"].to_numpy()[kept], row_part[kept], len(alone)) == 0).any(axis=1)
    if bare.any():
        torn = rows.filter(pl.Series(bare[rows["cell"].to_numpy()]))
        moved = np.searchsorted(writers, torn["u"].drop_nulls().unique().sort().to_numpy())
        ranks = stable_order(seed_of(seed, "writers"), rows.drop_nulls("u").unique("u").sort("u")["author"].to_list())
        load = np.asarray(edges.sum(axis=0)).ravel()
        one = np.zeros(len(moved), dtype=np.int64)
        writer_part[moved] = _fill(counts[moved], one, load[moved], portions, ranks[moved])
        kept = _kept(rows, row_part, writers, writer_part)
    return asked, question_part, rows.with_columns(kept=pl.Series(kept))


def _kept(rows: pl.DataFrame, row_part: np.ndarray, writers: np.ndarray, writer_part: np.ndarray) -> np.ndarray:
    """Rows whose author is unknown, or in the part of their question."""
    row_u = rows["u"].fill_null(-1).to_numpy()
    kept = row_u < 0
    kept[~kept] = writer_part[np.searchsorted(writers, row_u[~kept])] == row_part[~kept]
    return np.asarray(kept)


def _held(cell: np.ndarray, part: np.ndarray, n_cells: int) -> np.ndarray:
    """Rows of each cell in each part [cells, 3]."""
    count = np.zeros((n_cells, len(PARTS)), dtype=np.int64)
    np.add.at(count, (cell, part), 1)
    return count


def _first_writer_parts(answers: pl.DataFrame, portions: np.ndarray, seed: int) -> np.ndarray:
    """Part of each author, in the order of `u`: spread as components are, in each group of most of their answers."""
    main = (
        answers.group_by("u", "author", "group")
        .len()
        .sort("u", "len", "group", descending=[False, True, False])
        .unique("u", keep="first", maintain_order=True)
        .with_columns(cell=pl.col("group").rank("dense").cast(pl.Int64) - 1, component=pl.int_range(pl.len()))
        .with_columns(pl.col("len").cast(pl.Float64).alias("weight"))
    )
    if main.is_empty():
        return np.empty(0, dtype=np.int64)
    totals = main.group_by("cell").agg(pl.col("weight").sum()).sort("cell")["weight"].to_numpy()
    load = np.zeros((len(totals), len(PARTS)))
    parts = spread(main, main["author"].to_list(), load, totals, portions, seed_of(seed, "authors"))
    return np.array([parts[i] for i in range(main.height)])


def _kinds(rows: pl.DataFrame) -> np.ndarray:
    """The kind of each question: the set of cells it occurs in; rare kinds are one."""
    sets = rows.group_by("q").agg(pl.col("cell").unique().sort().cast(pl.String)).sort("q")["cell"].list.join(",")
    named = sets.to_frame("kind").with_columns(n=pl.len().over("kind"))
    kind = named.select(pl.when(pl.col("n") >= RARE).then("kind").otherwise(pl.lit("")).rank("dense"))
    return kind.to_series().cast(pl.Int64).to_numpy() - 1


def _fill(gain: np.ndarray, kind: np.ndarray, size: np.ndarray, portions: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Part [n] of each question with the largest gain [n, 3], as far as the shares of its kind's size allow.

    Questions with a clear preference choose first.
    """
    room = np.bincount(kind, weights=size)[:, None] * portions
    wish = np.argsort(-gain, axis=1, kind="stable")
    ordered = np.sort(gain, axis=1)
    order = np.lexsort((ties, ordered[:, -2] - ordered[:, -1], kind))
    part = np.full(len(gain), -1, dtype=np.int64)
    for rank in range(gain.shape[1]):
        for wanted in range(gain.shape[1]):
            mine = order[(part[order] < 0) & (wish[order, rank] == wanted)]
            before = np.cumsum(size[mine]) - size[mine]
            # sums start anew in each kind; `mine` is sorted by kind
            start = np.searchsorted(kind[mine], kind[mine])
            before -= before[start] if len(mine) else 0
            taken = mine[before < room[kind[mine], wanted] - 1e-9]
            part[taken] = wanted
            np.subtract.at(room, (kind[taken], wanted), size[taken])
    return np.where(part < 0, 0, part)
