"""Style vectors and tables of a run as a dataset folder; texts of the corpus only where they are asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sociolect.common import schemas
from sociolect.common.artifacts import Column, Schema, read_table, write_table
from sociolect.settings.config import Config

__all__ = ["Part", "dataset_parts", "style_schema", "write_parts"]

# what describers were told may hold the text, and the ids are those of the user's table
_PROVENANCE = ("answer_ids", "raw_sentences", "prompt_ids")
# columns of SAMPLES beside a style vector; an author is a person, also under a number
_PLACE, _TEXTS = ("question_id", "group", "part"), ("question", "answer")
# folder -> table of each experiment, what it is
_OF_EXPERIMENTS = {
    "groups": (schemas.GROUPS, "groups/{}.parquet"),
    "embeddings": (schemas.EMBEDDINGS, "embedding/{}/embeddings.parquet"),
    "accuracy": (schemas.ACCURACY, "embedding/{}/accuracy.parquet"),
    "distances": (schemas.GROUP_DISTANCES, "groups/{}.distances.parquet"),
    "comparison": (schemas.COMPARISON, "comparison/{}.parquet"),
    "controls": (schemas.COMPARISON, "comparison/{}.controls.parquet"),
    "judges": (schemas.BY_JUDGE, "comparison/{}.judges.parquet"),
    "contrasts": (schemas.CONTRASTS, "comparison/{}.contrasts.parquet"),
    "scores": (schemas.SCORES, "scores/{}.parquet"),
}


@dataclass(frozen=True)
class Part:
    """Tables of one kind: the folder's name, their columns, and a frame for each split of the data or experiment."""

    name: str
    schema: Schema
    frames: dict[str, pl.DataFrame]


def dataset_parts(config: Config, run: Path, with_texts: bool) -> list[Part]:
    """All tables.

    Args:
        config: of the run.
        run: results/<run>.
        with_texts: questions, answers, what was said of them and generated text, too.

    Raises:
        InputError: a table is missing or damaged.
    """
    style = style_schema(with_texts)
    splits = sorted({split for one in config.experiments.values() for split in (*one.fit, one.ask)})
    catalogue = schemas.CATALOGUE if with_texts else _without(schemas.CATALOGUE, _PROVENANCE)
    whole = read_table(run / "attributes/catalogue.parquet", schemas.CATALOGUE)
    parts = [
        Part("style_vectors", style, {split: _style(run, split, style) for split in splits}),
        Part("attributes", catalogue, {"catalogue": whole.select(list(catalogue.columns))}),
    ]
    of_experiments = _OF_EXPERIMENTS | (
        {"generations": (schemas.GENERATIONS, "generations/{}.parquet")} if with_texts else {}
    )
    for name, (schema, pattern) in of_experiments.items():
        frames = {e: read_table(run / pattern.format(e), schema) for e in sorted(config.experiments)}
        parts.append(Part(name, schema, frames))
    return parts


def write_parts(parts: list[Part], folder: Path, run: str) -> None:
    """A parquet file for each frame: <folder>/<part>/<split or experiment>.parquet."""
    for part in parts:
        for name, frame in part.frames.items():
            write_table(frame, folder / part.name / f"{name}.parquet", part.schema, {"run": run})


def style_schema(with_texts: bool) -> Schema:
    """Columns of the style vectors."""
    beside = {name: schemas.SAMPLES.columns[name] for name in (*_PLACE, *(_TEXTS if with_texts else ()))}
    columns: dict[str, Column] = {"answer_id": schemas.LABELS.columns["answer_id"], **beside}
    return Schema("style vectors", columns | {"style": schemas.LABELS.columns["style"]}, ("answer_id",))


def _style(run: Path, split: str, schema: Schema) -> pl.DataFrame:
    samples = read_table(run / f"samples/{split}.parquet", schemas.SAMPLES)
    labels = read_table(run / f"labels/{split}.parquet", schemas.LABELS)
    return labels.join(samples, on="answer_id", maintain_order="left").select(list(schema.columns))


def _without(schema: Schema, names: Collection[str]) -> Schema:
    return Schema(schema.name, {n: c for n, c in schema.columns.items() if n not in names}, schema.key)
