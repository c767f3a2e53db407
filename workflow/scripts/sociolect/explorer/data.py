"""What the page shows of an experiment, as plain numbers and texts: a column each, every text once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from sociolect.common.artifacts import matrix
from sociolect.common.errors import InputError
from sociolect.embedding.net import Distance, distance_matrix
from sociolect.explorer.pointed import numbered, pointed_attributes, pointed_spans
from sociolect.explorer.projection import Projection, project
from sociolect.explorer.votes import compact, effects
from sociolect.generation.conditions import ROWS, STEERED, ordered

__all__ = ["ExplorerTables", "experiment_data"]

LEAST = 0.1  # of a score that counts as gained or lost
MOVES = 6  # attributes gained, and lost, that are named
_FLAGS = ("changed_to_target", "lost_target", "empty", "truncated", "stopped", "tie", "zero")
# width of the map
SCALE = 1000


@dataclass(frozen=True)
class ExplorerTables:
    """What an experiment left behind.

    Attributes:
        name: experiment; fit: splits it is fitted on; ask: split whose questions are asked.
        scores: SCORES; generations: GENERATIONS; judged: JUDGED; groups: GROUPS; judges: BY_JUDGE.
        by_group: BY_JUDGE of each target group.
        questions: question id -> question.
        distance: of the net.
    """

    name: str
    fit: Sequence[str]
    ask: str
    scores: pl.DataFrame
    generations: pl.DataFrame
    judged: pl.DataFrame
    groups: pl.DataFrame
    judges: pl.DataFrame
    by_group: dict[str, pl.DataFrame]
    questions: Mapping[str, str]
    distance: Distance


def experiment_data(tables: ExplorerTables, catalogue: pl.DataFrame) -> dict[str, Any]:
    """The experiment as JSON takes it. A *case* is one question, put to one group, with one target group.

    Args:
        tables: of the experiment.
        catalogue: CATALOGUE.

    Raises:
        InputError: a generation, a question or a judge's word is missing.
    """
    rows = _joined(tables)
    groups = tables.groups.sort("group")
    group = numbered(groups["group"])
    condition = numbered(ordered(rows["condition"].unique()))
    judge = numbered(["sfam", *tables.judges["judge"].unique(maintain_order=True)])
    text, prompt = numbered(rows["text"]), numbered(rows["prompt"])
    cases = rows.select("question_id", "question_group", "target").unique(maintain_order=True)
    case = {key: i for i, key in enumerate(cases.iter_rows())}
    question = numbered(cases["question_id"])
    effect = effects(tables.by_group)
    attribute, pointed = numbered(catalogue["attribute_id"]), pointed_attributes(catalogue["attribute"].to_list())
    columns = _columns(rows, tables, groups)
    shown, columns["x"], columns["y"] = _map(
        project(matrix(rows["embedding"]), matrix(groups["embedding"]), tables.distance)
    )
    columns |= {
        "case": [case[key] for key in rows.select("question_id", "question_group", "target").iter_rows()],
        "condition": [condition[name] for name in rows["condition"]],
        "text": [text[words] for words in rows["text"]],
        "prompt": [prompt[words] for words in rows["prompt"]],
    }
    voted = {name: _votes(rows, tables.judged, name, group) for name in judge if name not in ("sfam", "relevance")}
    return {
        "name": tables.name,
        "fit": list(tables.fit),
        "ask": tables.ask,
        "groups": list(group),
        "own": [[attribute[name] for name in names] for names in groups["distinctive"]],
        "effects": [None if (gain := effect.get(name)) is None else round(gain, 3) for name in group],
        "conditions": list(condition),
        "above": sum(name in condition for name in ROWS),
        "judges": [_judge(tables.judges, name) for name in judge],
        "questions": [[key, _question(tables.questions, key)] for key in question],
        "cases": [[question[key], group[asked], group[target]] for key, asked, target in case],
        "texts": list(text),
        "spans": [pointed_spans(words, pointed) for words in text],
        "prompts": list(prompt),
        "rows": columns,
        "votes": {str(judge[name]): voted[name] for name in voted} | {str(judge["sfam"]): columns["nearest"]},
        "map": shown,
        "tables": [
            compact(table, condition, judge)
            for table in (tables.judges, *(tables.by_group.get(name, tables.judges.clear()) for name in group))
        ],
        "opening": _opening(rows, columns, effect),
    }


def _joined(tables: ExplorerTables) -> pl.DataFrame:
    """SCORES with text and prompt, case by case, in the order of conditions."""
    texts = tables.generations.select("request_id", "text", "prompt")
    rows = tables.scores.join(texts, on="request_id", how="left")
    missing = rows.filter(pl.col("text").is_null())
    if missing.height:
        raise InputError(
            f"{tables.name}: no text of generation {missing['request_id'][0]!r}; score the generations again"
        )
    place = numbered(ordered(rows["condition"].unique()))
    rows = rows.with_columns(place=pl.col("condition").replace_strict(place, return_dtype=pl.Int64))
    return rows.sort("target", "question_group", "question_id", "place", "sample", "request_id").drop("place")


def _columns(rows: pl.DataFrame, tables: ExplorerTables, groups: pl.DataFrame) -> dict[str, Any]:
    """Numbers of every generation."""
    group = numbered(groups["group"])
    number = {name: i for i, name in enumerate(rows["request_id"])}
    reference = np.array([number[name] for name in rows["reference_id"]])
    embeddings, centers = matrix(rows["embedding"]), matrix(groups["embedding"])
    target = np.array([group[name] for name in rows["target"]])
    apart = distance_matrix(embeddings, centers, tables.distance)[np.arange(len(target)), target]
    before = distance_matrix(embeddings[reference], centers, tables.distance)[np.arange(len(target)), target]
    # a text without a word went nowhere, and from none does one come
    empty = rows["empty"].to_numpy()
    still = empty | empty[reference]
    flags = rows.select(sum(pl.col(name).cast(pl.Int64) * 2**i for i, name in enumerate(_FLAGS)))
    return {
        "sample": rows["sample"].to_list(),
        "reference": reference.tolist(),
        "nearest": [group[name] for name in rows["nearest"]],
        "flags": flags.to_series().to_list(),
        "nearer": _of_moves(before - apart, still),
        "direction": _rounded(rows["direction"], 2),
        "perplexity": _rounded(rows["log_perplexity"], 2),
        "relevance": _rounded(rows["relevance"], 2),
        "words": rows["n_words"].to_list(),
        "moves": _moves(matrix(rows["style"]), reference),
        "moved": _of_moves(_moved(embeddings, embeddings[reference], tables.distance), still),
    }


def _of_moves(values: np.ndarray, still: np.ndarray) -> list[float | None]:
    """A number of each move; None where one of its ends is an empty text."""
    return [None if none else round(float(value), 3) for value, none in zip(values, still, strict=True)]


def _moved(after: np.ndarray, before: np.ndarray, distance: Distance) -> np.ndarray:
    """Distance of each text from its reference [n]."""
    pairs = zip(after, before, strict=True)
    return np.array([distance_matrix(a[None], b[None], distance)[0, 0] for a, b in pairs])


def _moves(style: np.ndarray, reference: np.ndarray) -> list[list[int]]:
    """Of each text: [attribute, change of score in hundredths, ...], the largest gains, then the largest losses."""
    found = []
    for own, other in zip(style.astype(np.float64), reference, strict=True):
        change = own - style[other].astype(np.float64)
        order = np.argsort(-change, kind="stable")
        kept = [a for a in order[:MOVES] if change[a] >= LEAST]
        kept += [a for a in order[::-1][:MOVES] if change[a] <= -LEAST]
        found.append([number for a in kept for number in (int(a), round(100 * float(change[a])))])
    return found


def _map(projection: Projection) -> tuple[dict[str, Any], list[int], list[int]]:
    """The map in whole numbers, both directions on one scale, and the texts' places on it."""
    everything = np.vstack([projection.groups, projection.texts])
    low = everything.min(axis=0)
    width = float((everything.max(axis=0) - low).max())
    places = np.rint((everything - low) * (SCALE / width if width > 0 else 0.0)).astype(int)
    groups, (x, y) = places[: len(projection.groups)], places[len(projection.groups) :].T
    shown = {
        "groups": groups.tolist(),
        "size": places.max(axis=0).tolist(),
        "variance": round(projection.variance, 3),
        "agreement": round(projection.agreement, 3),
    }
    return shown, x.tolist(), y.tolist()


def _votes(rows: pl.DataFrame, judged: pl.DataFrame, judge: str, group: Mapping[str, int]) -> list[int | None]:
    """Group that a judge sees in each text; None where there is none."""
    said = dict(judged.filter(pl.col("judge") == judge).select("request_id", "group").iter_rows())
    silent = [name for name in rows["request_id"] if name not in said]
    if silent:
        raise InputError(f"judge {judge!r} has not judged generation {silent[0]!r}; judge the answers again")
    return [group.get(said[name]) for name in rows["request_id"]]


def _judge(table: pl.DataFrame, name: str) -> dict[str, Any]:
    row = table.filter(pl.col("judge") == name).row(0, named=True)
    return {"name": name, "sees": row["sees"], "ceiling": None if row["ceiling"] is None else round(row["ceiling"], 3)}


def _question(questions: Mapping[str, str], key: str) -> str:
    if key not in questions:
        raise InputError(f"no sample has question {key!r}; plan the requests again")
    return questions[key]


def _opening(rows: pl.DataFrame, columns: dict[str, Any], effect: Mapping[str, float | None]) -> int | None:
    """The generation that is looked at first: of the group that steering moved most on its own questions, the steered
    text that went farthest. None where nothing is steered."""
    gains = {name: gain for name, gain in effect.items() if gain is not None}
    if not gains:
        return None
    group = max(gains, key=lambda name: (gains[name], name))
    fits = (
        (pl.col("condition") == STEERED) & (pl.col("question_group") == pl.col("target")) & (pl.col("target") == group)
    )
    kept = [i for i in rows.select(fits).to_series().arg_true() if columns["moved"][i] is not None]
    return max(kept, key=lambda i: (columns["moved"][i], -i), default=None)


def _rounded(values: pl.Series, digits: int) -> list[float | None]:
    return [None if value is None else round(value, digits) for value in values]
