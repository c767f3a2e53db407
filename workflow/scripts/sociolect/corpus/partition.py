"""Train, val and test that share neither a question nor an author, over all splits of a run.

Questions and authors are the nodes of a graph, each answer by a known author an edge. A connected component goes to
one part whole. A component that holds too much of some group (an active forum is nearly one component) is cut: its
questions and its authors each get one part, and the answers that would join two parts are dropped.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sociolect.corpus.cutting import cut_components
from sociolect.corpus.spreading import PARTS, spread
from sociolect.settings.corpus import Parts

__all__ = ["count_units", "partition_answers"]


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
        asked, parts, cut = cut_components(cut, questions, portions, alone, seed)
        part_of_question[asked] = parts
        dropped = cut.filter(~pl.col("kept"))["answer_id"].unique()
        kept = cut.filter("kept")
        np.add.at(load, (kept["cell"].to_numpy(), part_of_question[kept["q"].to_numpy()]), kept["weight"].to_numpy())
    whole = rows.filter(~pl.col("cut"))
    totals = rows.group_by("cell").agg(pl.col("weight").sum()).sort("cell")["weight"].to_numpy()
    for component, part in spread(whole, questions, load, totals, portions, seed).items():
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
