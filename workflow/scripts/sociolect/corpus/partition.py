"""Train, val and test that share neither a question nor an author, over all splits of a run.

Questions and authors are the nodes of a graph, each answer by a known author an edge. A connected component goes to
one part whole. A component that holds too much of some group (an active forum is nearly one component) is cut: its
questions and its authors each get one part, and the answers that would join two parts are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sociolect.common.seeds import seed_of, stable_hash
from sociolect.settings.corpus import Parts

PARTS = ("train", "val", "test")
# Cutting: rounds of moving questions to their authors and authors to their questions, and the power of a part's share
# that an author's count is divided by. Power 0 keeps most answers, but draws heavy authors into train and empties
# val and test of the small groups; power 1 fills those and keeps least.
ROUNDS = 8
DAMPING = 0.25
# Kinds of questions (the sets of splits and groups they occur in) that are rarer are cut as one kind.
RARE = 20


def partition_answers(answers: pl.DataFrame, shares: Parts, max_component_share: float, seed: int) -> pl.DataFrame:
    """Give each answer its part.

    Args:
        answers: split, question_id, answer_id, author (null where unknown: joins nothing), group and weight, all rows
            of all splits. The weights of a group in a split are what comes near the shares: 1 to balance answers,
            1 / (answers of the question) to balance questions.
        shares: shares of train, val and test.
        max_component_share: a component with more than this share of the questions of any group in any split is cut.
        seed: decides ties and order, by a stable hash of ids; the order of rows does not matter.

    Returns:
        split, answer_id, part, sorted; part is null where the answer is dropped. Over all splits, no question and no
        author is in two parts.
    """
    cells = answers.select("split", "group").unique().sort("split", "group").with_row_index("cell")
    rows = answers.join(cells, on=["split", "group"]).sort("split", "answer_id")
    rows = _numbered(rows).with_columns(pl.col("cell").cast(pl.Int64))
    if rows.is_empty():
        return rows.select("split", "answer_id", part=pl.lit(None, pl.String))
    questions = rows["question_id"].unique().sort().to_list()
    rows = rows.with_columns(component=pl.Series(_components(rows)))
    # in two steps: polars does not nest one window in another
    rows = rows.with_columns(cut=_is_too_large(max_component_share))
    rows = rows.with_columns(cut=pl.col("cut").any().over("component"))
    portions = np.array([shares.train, shares.val, shares.test])
    part_of_question = np.full(len(questions), -1, dtype=np.int64)
    cut = rows.filter("cut")
    dropped = pl.Series("dropped", [], dtype=pl.String)
    load = np.zeros((cells.height, len(PARTS)))
    if cut.height:
        # few whole components cannot fill three parts of a group: its cut ones then have to
        few = rows.group_by("cell").agg(pl.col("component").filter(~pl.col("cut")).n_unique() < len(PARTS))
        alone = np.array(few.sort("cell")["component"], dtype=bool)
        asked, parts, cut = _cut(cut, questions, portions, alone, seed)
        part_of_question[asked] = parts
        dropped = cut.filter(~pl.col("kept"))["answer_id"].unique()
        kept = cut.filter("kept")
        np.add.at(load, (kept["cell"].to_numpy(), part_of_question[kept["q"].to_numpy()]), kept["weight"].to_numpy())
    whole = rows.filter(~pl.col("cut"))
    totals = rows.group_by("cell").agg(pl.col("weight").sum()).sort("cell")["weight"].to_numpy()
    for component, part in _spread(whole, questions, load, totals, portions, seed).items():
        part_of_question[component] = part
    # the first question of a component stands for all of it
    part = np.where(
        rows["cut"].to_numpy(), part_of_question[rows["q"].to_numpy()], part_of_question[rows["component"].to_numpy()]
    )
    named = pl.Series("part", np.array(PARTS)[part].tolist(), dtype=pl.String)
    return rows.select(
        "split", "answer_id", part=pl.when(pl.col("answer_id").is_in(dropped.implode())).then(None).otherwise(named)
    )


def count_units(answers: pl.DataFrame) -> int:
    """Sets of answers that share neither a question nor a known author with another: what parts can be made of.

    Args:
        answers: question_id and author, one row at least.
    """
    return len(np.unique(_components(_numbered(answers))))


def stable_order(seed: int, names: Sequence[str]) -> np.ndarray:
    """Ranks [n] of the names in an order that depends on the seed and on each name alone, the same everywhere."""
    order = sorted(range(len(names)), key=lambda i: (stable_hash(seed, names[i]), names[i]))
    ranks = np.empty(len(names), dtype=np.int64)
    ranks[order] = np.arange(len(names))
    return ranks


def _numbered(answers: pl.DataFrame) -> pl.DataFrame:
    """With a number for each question (q) and author (u), null where the author is unknown."""
    return answers.with_columns(
        pl.col(name).rank("dense").cast(pl.Int64).sub(1).alias(number)
        for name, number in (("question_id", "q"), ("author", "u"))
    )


def _components(rows: pl.DataFrame) -> np.ndarray:
    """The component of each row, named by its smallest question number."""
    q = rows["q"].to_numpy()
    known = rows["u"].is_not_null()
    n_questions = int(q.max()) + 1
    n_authors = rows["u"].n_unique()
    edges = (q[known.to_numpy()], n_questions + rows["u"].drop_nulls().to_numpy())
    size = n_questions + n_authors
    graph = coo_array((np.ones(len(edges[0])), edges), shape=(size, size))
    labels = connected_components(graph, directed=False)[1][:n_questions]
    _, first = np.unique(labels, return_index=True)
    smallest = np.empty(labels.max() + 1, dtype=np.int64)
    smallest[labels[first]] = first
    return smallest[labels][q]


def _is_too_large(limit: float) -> pl.Expr:
    held = pl.col("q").n_unique().over("component", "cell")
    return held > limit * pl.col("q").n_unique().over("cell") + 1e-9


def _spread(
    rows: pl.DataFrame,
    questions: list[str],
    load: np.ndarray,
    totals: np.ndarray,
    portions: np.ndarray,
    seed: int,
) -> dict[int, int]:
    """Part of each whole component: the largest first, each to the part that is then filled least for its share.

    Dividing by the share keeps the parts in proportion at every size; the largest gap to the share would send
    all large components to train.
    """
    sums = rows.group_by("component", "cell").agg(pl.col("weight").sum()).sort("component", "cell")
    component, cell = sums["component"].to_numpy(), sums["cell"].to_numpy()
    weight = sums["weight"].to_numpy() / totals[cell]
    starts = np.flatnonzero(np.diff(component, prepend=-1))
    if not len(starts):
        return {}
    largest = np.maximum.reduceat(weight, starts)
    ties = stable_order(seed_of(seed, "components"), [questions[component[i]] for i in starts])
    filled: list[list[float]] = (load / totals[:, None]).tolist()
    bounds = [*starts.tolist(), len(component)]
    spans = list(pairwise(bounds))
    cells, weights, shares = cell.tolist(), weight.tolist(), portions.tolist()
    parts: dict[int, int] = {}
    for i in np.lexsort((ties, -largest)).tolist():
        span = range(*spans[i])
        fullness = [
            sum(weights[j] * (filled[cells[j]][p] + weights[j]) for j in span) / share for p, share in enumerate(shares)
        ]
        part = fullness.index(min(fullness))
        parts[int(component[bounds[i]])] = part
        for j in span:
            filled[cells[j]][part] += weights[j]
    unit = np.repeat(np.arange(len(spans)), [end - start for start, end in spans])
    chosen = np.array([parts[int(component[start])] for start, _ in spans])
    wanting = np.ones(len(totals), dtype=bool)
    settled = _none_empty(chosen, unit, cell, weight, (load > 0).astype(np.int64), wanting, ties)
    return {int(component[start]): int(part) for (start, _), part in zip(spans, settled, strict=True)}


def _none_empty(
    part: np.ndarray,
    unit: np.ndarray,
    cell: np.ndarray,
    weight: np.ndarray,
    held: np.ndarray,
    wanting: np.ndarray,
    ties: np.ndarray,
) -> np.ndarray:
    """Parts of units in which, where that can be, none is empty: with five equal authors 3, 1 and 1, not 4, 1 and none.

    A unit moves to a part that is empty in a cell from one that no cell has it alone in: the lightest, which disturbs
    the shares least.

    Args:
        part: of each unit.
        unit, cell, weight: a unit's share of a cell; one row each.
        held: what else the parts of a cell have [cells, 3].
        wanting: whether a cell's empty parts are to be filled.
        ties: order among equally light units.
    """
    part, count = part.copy(), held.copy()
    np.add.at(count, (cell, part[unit]), 1)
    heaviest = np.zeros(len(part))
    np.maximum.at(heaviest, unit, weight)
    # each move fills a part and empties none
    for here, empty in np.argwhere((count == 0) & wanting[:, None]).tolist():
        if count[here, empty]:
            continue
        spare = np.ones(len(part), dtype=bool)
        np.logical_and.at(spare, unit, count[cell, part[unit]] > 1)
        movable = unit[(cell == here) & spare[unit]]
        if not len(movable):
            continue
        fullest = count[here, part[movable]]
        moved = movable[np.lexsort((ties[movable], -fullest, heaviest[movable]))[0]]
        rows = cell[unit == moved]
        count[rows, part[moved]] -= 1
        count[rows, empty] += 1
        part[moved] = empty
    return part


def _cut(
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
        question_part = _none_empty(question_part, unit, cell, sizes[unit], none, alone, ties)
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
    parts = _spread(main, main["author"].to_list(), load, totals, portions, seed_of(seed, "authors"))
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
