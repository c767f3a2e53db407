"""Reading tables: every fault is named, with its row or line."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_tables import GOOD, HEADER, put, refuse, write

from sociolect.corpus.reader import read_raw_corpus


@pytest.mark.parametrize("extension", [".parquet", ".csv", ".jsonl"])
def test_missing_columns_name_those_present_and_near_misses(tmp_path: Path, extension: str) -> None:
    frame = GOOD.rename({"question_id": "QuestionID", "answer": "answers", "group": "team"})
    refuse(
        write(frame, tmp_path / f"t{extension}"),
        "missing columns question_id, answer, group",
        "QuestionID, question, answer_id, answers, author, team",
        "'QuestionID' looks like 'question_id': rename it",
        "'answers' looks like 'answer'",
    )


def test_columns_twice_or_with_another_separator(tmp_path: Path) -> None:
    refuse(put(tmp_path / "twice.csv", f"{HEADER},group\n1,2,3,4,5,6,7\n"), "the column 'group' is there twice")
    refuse(put(tmp_path / "semi.csv", HEADER.replace(",", ";") + "\n1;2;3;4;5;6\n"), "separate the fields by commas")


def test_text_that_is_not_utf8_is_named_by_line_or_row(tmp_path: Path) -> None:
    row = f"{HEADER}\nq,Q,a1,fine,,g\nq,Q,a2,caf".encode() + b"\xe9,,g\n"
    refuse(put(tmp_path / "t.csv", row), "line 3", "byte 0xe9", "save the table as UTF-8")
    line = b'{"question_id": "q", "question": "\xff"}\n'
    refuse(put(tmp_path / "t.jsonl", line), "line 1", "byte 0xff")
    texts = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.array([0, 4, 8, 12], pa.int32()).buffers()[1], pa.py_buffer(b"fine\xc3\xa9okbad\xe9")]
    )
    arrow = GOOD.to_arrow()
    pq.write_table(arrow.set_column(arrow.schema.get_field_index("answer"), "answer", texts), tmp_path / "t.parquet")
    refuse(tmp_path / "t.parquet", "row 3, column 'answer'", "byte 0xe9 at position 3")


@pytest.mark.parametrize("extension", [".parquet", ".csv", ".jsonl"])
def test_empty_and_cut_off_files(tmp_path: Path, extension: str) -> None:
    refuse(put(tmp_path / f"nothing{extension}", ""), "the file is empty (0 bytes)")
    path = write(GOOD, tmp_path / f"t{extension}")
    size = path.stat().st_size
    refuse(
        put(path, path.read_bytes()[: size - 12]),
        {".parquet": "not a whole parquet file", ".csv": "the file is cut off", ".jsonl": "line 3 is not JSON"}[
            extension
        ],
    )


def test_a_table_without_rows(tmp_path: Path) -> None:
    refuse(write(GOOD.clear(), tmp_path / "t.parquet"), "the table has no rows")
    refuse(put(tmp_path / "t.csv", HEADER + "\n"), "the table has no rows")


def test_csv_faults_are_named_by_row_and_line(tmp_path: Path) -> None:
    start = f'{HEADER}\nq,Q,a1,"two\nlines",,g\n'
    refuse(put(tmp_path / "long.csv", start + "q,Q,a2,one, two,,g\n"), "row 2 (it ends in line 4) has 7 fields")
    refuse(put(tmp_path / "quote.csv", start + 'q,Q,a2,"say "no" now",,g\n'), "line 4", "not doubled")
    refuse(put(tmp_path / "open.csv", start + 'q,Q,a2,"no end,,g\n'), "unexpected end of data")
    assert read_raw_corpus(put(tmp_path / "blank.csv", start + "\n\n")).height == 1


def test_jsonl_faults_are_named_by_line(tmp_path: Path) -> None:
    good = json.dumps(GOOD.to_dicts()[0])
    refuse(put(tmp_path / "a.jsonl", f"{good}\n{good[:-9]}\n{good}\n"), "line 2 is not JSON")
    refuse(put(tmp_path / "b.jsonl", f"{good}\n[1, 2]\n"), "line 2 is not a JSON object")


def test_wrong_files(tmp_path: Path) -> None:
    refuse(put(tmp_path / "t.xlsx", "x"), "extension '.xlsx' is not known", ".parquet, .csv, .jsonl")
    refuse(tmp_path / "absent.csv", "no such file", "corpus.paths")
    (tmp_path / "folder.csv").mkdir()
    refuse(tmp_path / "folder.csv", "this is a folder")
    refuse(put(tmp_path / "t.csv", write(GOOD, tmp_path / "t.parquet").read_bytes()), "rename it to t.parquet")
    refuse(put(tmp_path / "x.parquet", HEADER), "not a whole parquet file")


def test_types_that_are_not_text(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    refuse(write(GOOD.with_columns(answer=pl.lit(3)), path), "the column 'answer' is Int32; write it as text")
    refuse(write(GOOD.with_columns(group=pl.lit([["x"]] * 3)), path), "the column 'group' is List")
    refuse(write(GOOD.with_columns(author=pl.Series([1.0, None, 2.5])), path), "row 3, column 'author': 2.5 is no id")
