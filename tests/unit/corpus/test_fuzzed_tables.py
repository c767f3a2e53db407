"""Tables that other programs write, well or badly: the right rows, or one line that names file and line; never others.

As many as SOCIOLECT_LONG=1 asks for (10,000 of each kind) take a minute and a half.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
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
quotings = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
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
    """The rows as read, an author that is not known as an empty text; None where they are refused in one line."""
    try:
        return [tuple(value or "" for value in row) for row in read_raw_corpus(path).rows()]
    except InputError as error:
        assert re.search(rf"^{re.escape(str(path))}: (line|lines|row|missing|the column) ?\d*", str(error)), str(error)
        assert "\n" not in str(error)
        return None


def ended(rows: list[tuple[str, ...]]) -> list[list[str]]:
    """A carriage return that ends an unquoted last field is the line's."""
    return [[value.rstrip("\r") for value in row] for row in rows]


def truth(rows: list[Row]) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in COLUMNS) for row in rows]


@MANY
@given(table=tables(), quoting=quotings, bom=st.booleans(), crlf=st.booleans())
def test_csv_by_the_rules_is_read_as_it_was_written(
    table: tuple[list[str], list[Row]], quoting: Any, bom: bool, crlf: bool, tmp_path: Path
) -> None:
    names, rows = table
    out = io.StringIO()
    writer = csv.DictWriter(out, names, quoting=quoting, lineterminator="\r\n" if crlf else "\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "t.csv").write_bytes((b"\xef\xbb\xbf" if bom else b"") + out.getvalue().encode())
    told = found(tmp_path / "t.csv")
    assert told is not None and ended(told) == ended(truth(rows))


@MANY
@given(table=tables(), style=st.sampled_from(["never", "lines", "undoubled"]))
def test_csv_against_the_rules_is_read_right_or_refused(
    table: tuple[list[str], list[Row]], style: str, tmp_path: Path
) -> None:
    names, rows = table
    for row in rows:
        for name in (*TEXTS, "note"):
            # two marks in a row are one to every reader
            row[name] = re.sub('"+', '"', row[name])
            if style == "lines":
                row[name] = re.sub(r"[\r\n]+", " ", row[name])

    def written(value: str) -> str:
        return f'"{value}"' if style == "undoubled" and re.search(r"[,\r\n]", value) else value

    lines = [",".join(names), *(",".join(written(row[name]) for name in names) for row in rows)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    told = found(tmp_path / "t.csv")
    assert told is None or [[v.rstrip("\r") for v in r] for r in told] == [
        [v.rstrip("\r") for v in r] for r in truth(rows)
    ]


@MANY
@given(table=tables(), place=st.floats(0, 1), fault=st.sampled_from(["none", "cut", "byte", "nested", "twice", "nan"]))
def test_json_lines_are_read_right_or_refused(
    table: tuple[list[str], list[Row]], place: float, fault: str, tmp_path: Path
) -> None:
    names, rows = table
    at = int(place * (len(rows) - 1))
    shown = [{name: row[name] for name in names} for row in rows]
    if fault == "nested":
        shown[at]["answer"] = {"text": shown[at]["answer"]}
    if fault == "nan":
        shown[at]["author"], rows[at]["author"] = float("nan"), ""
    lines = [json.dumps(row, ensure_ascii=place < 0.5) for row in shown]
    if fault == "twice":
        lines[at] = f'{{"group": "g7", {lines[at][1:]}'
    data = ("\n".join(lines) + "\n").encode()
    if fault == "cut":
        data = data[: max(1, int(place * (len(data) - 3)))]
    if fault == "byte":
        data = data[: int(place * len(data))] + b"\xff" + data[int(place * len(data)) :]
    (tmp_path / "t.jsonl").write_bytes(data)
    told = found(tmp_path / "t.jsonl")
    if fault in ("none", "nan"):
        assert told == truth(rows)
    elif fault == "cut":
        # a file that is cut off between two lines is a whole file
        assert told is None or (told == truth(rows)[: len(told)] and data.endswith(b"}"))
    else:
        assert told is None
