"""Raw tables in files, good ones and such as an import refuses."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sociolect.common.errors import InputError
from sociolect.corpus.cleaning import import_corpus
from sociolect.corpus.columns import COLUMNS
from sociolect.settings.corpus import CorpusSettings

ANY_LENGTH = CorpusSettings(min_chars=0)
HEADER = ",".join(COLUMNS)


def table(*rows: tuple[object, ...]) -> pl.DataFrame:
    """Rows in the order of COLUMNS."""
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


GOOD = table(
    ("q2", "Why?", "a3", "Since it is so.", None, "physics"),
    ("q1", "How?", "a1", "With some care.", "u1", "biology"),
    ("q1", "How?", "a2", "With no care at all.", "u2", "biology"),
)


def write(frame: pl.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_ndjson(path)
    return path


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refuse(path: Path, *pieces: str) -> None:
    """The import fails, and its message names the file and holds every piece."""
    with pytest.raises(InputError) as caught:
        import_corpus(path, "single", ANY_LENGTH)
    for piece in (str(path), *pieces):
        assert piece in str(caught.value)
