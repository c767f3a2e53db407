"""Tables that other programs write, made at random; what is read of them is right, or one line that names the place.

As many as SOCIOLECT_LONG=1 asks for (10,000 of each kind) take some two minutes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sociolect.common.errors import InputError
from sociolect.corpus.columns import COLUMNS, TEXTS
from sociolect.corpus.reader import read_raw_corpus

MANY = settings(
    max_examples=10_000 if os.environ.get("SOCIOLECT_LONG") == "1" else 200,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
Row = dict[str, Any]
# what tells dialects apart, and what looks like it
BITS = ['"', ",", ", ", "\r", "\n", "\r\n", " ", "\t", ";", "\\", "'", "\ufeff", "é", "word", 'a 5" pipe', "g0", "NULL"]
texts = st.lists(st.sampled_from(BITS), min_size=1, max_size=8).map("".join)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[Row]]:
    """Columns in some order, one of them ignored or not there, and rows."""
    names = draw(st.permutations([*COLUMNS, *draw(st.sampled_from([[], ["note"]]))]))
    rows = [
        {
            "question_id": f"q{number}",
            "answer_id": f"a{number}",
            "author": draw(st.sampled_from(["", f"u{number}"])),
            "group": f"g{number % 2}",
            **{name: draw(texts) for name in (*TEXTS, "note")},
        }
        for number in range(draw(st.integers(1, 6)))
    ]
    return list(names), rows


def found(path: Path) -> list[tuple[str, ...]] | None:
    """The rows as read, an unknown author as an empty text; None where they are refused, a line for each fault."""
    try:
        return [tuple(value or "" for value in row) for row in read_raw_corpus(path).rows()]
    except InputError as error:
        for line in str(error).split("\n"):
            assert re.search(rf"^{re.escape(str(path))}: (line|lines|row|missing|the column) ?\d*", line), str(error)
        return None


def ended(rows: list[tuple[str, ...]]) -> list[list[str]]:
    """Without outer white space, which cleaning takes away: a line break at an unquoted end of a row is the row's."""
    return [[value.strip() for value in row] for row in rows]


def truth(rows: list[Row]) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in COLUMNS) for row in rows]
