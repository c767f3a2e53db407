"""CSV as it should be and as it is: read right, or refused in one line, never other rows."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from fuzzed import MANY, Row, ended, found, tables, truth
from hypothesis import given
from hypothesis import strategies as st
from raw_tables import HEADER, put, refuse

from sociolect.corpus.columns import TEXTS

quotings = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])


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

    # as in any file of more than a few rows, others name the groups, too
    rows = [
        {
            **dict.fromkeys((*TEXTS, "note"), "fine"),
            "question_id": f"p{n}",
            "answer_id": f"b{n}",
            "author": "",
            "group": f"g{n}",
        }
        for n in (0, 1)
    ] + rows
    lines = [",".join(names), *(",".join(written(row[name]) for name in names) for row in rows)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    told = found(tmp_path / "t.csv")
    # a mark that begins a field may by chance quote another text: no reader can know, but no row is lost
    opened = any(re.search(r'(^|[,\r\n])"', value) for row in rows for value in row.values())
    assert told is None or ended(told) == ended(truth(rows)) or (opened and len(told) == len(rows))


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_other_separators_are_named_with_and_without_quotation_marks(tmp_path: Path, mark: str, name: str) -> None:
    said = f"the fields are separated by {name}: separate the fields by commas"
    names = HEADER.split(",")
    refuse(put(tmp_path / "t.csv", mark.join(names) + "\n"), said)
    refuse(put(tmp_path / "t.csv", mark.join(f'"{name}"' for name in names) + "\n"), said)


def test_rows_of_other_lengths_are_told_together_and_of_many_how_many(tmp_path: Path) -> None:
    rows = "".join(f"q,Q,a{n},x,,g,more\n" for n in range(7)) + 'q,Q,a8,"open'
    refuse(put(tmp_path / "t.csv", f"{HEADER}\nq,Q,a9,x,,g\n{rows}"), "row 2 (line 3) has 7", "row 6 (line 7) has 7")
    refuse(tmp_path / "t.csv", "; 3 more like these")


def test_a_line_before_the_header_is_named(tmp_path: Path) -> None:
    row = f"{HEADER}\nq,Q,a1,x,,g\n"
    refuse(put(tmp_path / "t.csv", f"# exported by us, today\n{row}"), "line 1 is a comment ('# exported by us")
    refuse(put(tmp_path / "t.csv", f"sep=,\n{row}"), "line 1 is a comment", "take it out")
    refuse(put(tmp_path / "t.csv", f"\n{row}"), "line 1 is blank")
    # a header all the same
    refuse(put(tmp_path / "t.csv", f"#{row}"), "'#question_id' looks like 'question_id': rename it")
