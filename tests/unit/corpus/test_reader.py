"""Reading tables: every fault is named, with its row or line."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
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
    refuse(
        put(tmp_path / "semi.csv", HEADER.replace(",", ";") + "\n1;2;3;4;5;6\n"),
        "the fields are separated by semicolons: separate the fields by commas",
    )


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
    refuse(put(tmp_path / "long.csv", start + "q,Q,a2,one, two,,g\n"), "row 2 (line 4) has 7 fields")
    refuse(put(tmp_path / "quote.csv", start + 'q,Q,a2,"say "no" now",,g\n'), "line 4", "not doubled")
    refuse(put(tmp_path / "open.csv", start + 'q,Q,a2,"no end,,g\n'), "unexpected end of data")
    assert read_raw_corpus(put(tmp_path / "blank.csv", start + "\n\n")).height == 1


def rows_of(path: Path) -> list[tuple[str | None, ...]]:
    return read_raw_corpus(path).rows()


def test_a_quotation_mark_inside_a_csv_field_is_text(tmp_path: Path) -> None:
    marks = f"""{HEADER},note
q0,Q0,a0,long enough,u,g0,15" laptop
q1,Q1,a1,"5"" pipe",u,g1,ok
q2,Q2,a2,6" or 7",u,g0,"a ""b"", c"
"""
    assert [row[2:4] for row in rows_of(put(tmp_path / "t.csv", marks))] == [
        ("a0", "long enough"),
        ("a1", '5" pipe'),
        ("a2", '6" or 7"'),
    ]
    moved = f'{HEADER}\nq0,Q0,"a0",5" pipe,,g0\n"q1",Q1,a1,end",,g1\nq2,Q2,a2,"x, y",,g0\n'
    assert [row[3::2] for row in rows_of(put(tmp_path / "t.csv", moved))] == [
        ('5" pipe', "g0"),
        ('end"', "g1"),
        ("x, y", "g0"),
    ]


def test_rows_that_a_quotation_mark_joins_are_refused_and_texts_of_several_lines_are_not(tmp_path: Path) -> None:
    start = f"{HEADER}\nq0,Q,a0,fine,,g0\nq1,Q,a1,fine,,g1\n"
    joined = 'q2,Q,a2,"tis the season,,g0\nq3,Q,a3,the end",,g1\n'
    refuse(put(tmp_path / "t.csv", start + joined), "lines 4 to 5 look like rows of their own", 'doubled ("")')
    # with commas in the texts, as many fields as a row has by chance
    refuse(put(tmp_path / "t.csv", start + joined.replace("tis", "tis, now")), "lines 4 to 5")
    listed = 'q2,Q,a2,"one, two, three, four, five\nand six, seven, eight, nine",,g0\n'
    assert rows_of(put(tmp_path / "t.csv", start + listed))[2][3] == (
        "one, two, three, four, five\nand six, seven, eight, nine"
    )
    # in a first field
    refuse(put(tmp_path / "t.csv", start + '"q2,Q,a2,x,,g0\nq3",Q,a3,y,,g1\n'), "lines 4 to 5")


def test_a_carriage_return_inside_a_csv_field_is_text(tmp_path: Path) -> None:
    # pandas does not quote it where lines end in line feeds
    path = put(tmp_path / "t.csv", f"{HEADER}\nq,Q,a1,one\rtwo,,g\nq,Q,a2,x,,g\n")
    assert [row[3] for row in rows_of(path)] == ["one\rtwo", "x"]
    refuse(put(path, f"{HEADER}\nq,Q,a1,\ufdd0,,g\n"), "line 2: U+FDD0")


def test_rows_of_a_csv_file_are_counted_without_blank_lines(tmp_path: Path) -> None:
    refuse(put(tmp_path / "t.csv", f"{HEADER}\n\nq,Q,a1,x,,g\n\n\nq,Q,a2\n"), "row 2 (line 6) has 3 fields")
    refuse(put(tmp_path / "t.csv", f'{HEADER}\n"q\n",Q,a1,x,,g\nq,Q,a2,"x\ny"\n'), "row 2 (line 4 to 5) has 4")


def test_jsonl_values_that_are_not_text_are_named_by_line_and_key(tmp_path: Path) -> None:
    good = GOOD.to_dicts()

    def lines(**changed: object) -> Path:
        text = "\n".join(json.dumps(row) for row in [good[0], {**good[1], **changed}, good[2]])
        return put(tmp_path / "t.jsonl", text + "\n")

    refuse(lines(answer={"text": "x"}), "line 2, key 'answer': the value is an object; write it as text")
    refuse(lines(question=["x"]), "line 2, key 'question': the value is a list")
    refuse(lines(answer=3), "line 2, key 'answer': the value is a number")
    refuse(lines(group=True), "line 2, key 'group': the value is true or false")
    refuse(lines(author=2.5), "line 2, key 'author': 2.5 is no id")
    refuse(lines(answer_id=1e17), "line 2, key 'answer_id': 1e+17 is no id")
    refuse(lines(answer=float("nan")), "line 2, key 'answer': the value is NaN")
    refuse(put(tmp_path / "t.jsonl", '{"answer": "\\ud83d"}\n'), "line 1, key 'answer': \\ud83d is half")
    refuse(
        put(tmp_path / "t.jsonl", '{"a": 1, "group": "x", "group": "y"}\n'), "line 1: the key 'group' is there twice"
    )
    refuse(put(tmp_path / "t.jsonl", "[" * 100_000 + "\n"), "line 1")
    refuse(put(tmp_path / "t.jsonl", f'{{"group": {"9" * 5000}}}\n'), "line 1: ")
    # null where it is allowed; whole numbers of any size
    assert rows_of(lines(author=float("nan"), answer_id=2**63 + 1, group=7.0))[1] == (
        *("q1", "How?", "9223372036854775809", "With some care.", None, "7"),
    )


def test_jsonl_faults_are_named_by_line(tmp_path: Path) -> None:
    good = json.dumps(GOOD.to_dicts()[0])
    refuse(put(tmp_path / "a.jsonl", f"{good}\n{good[:-9]}\n{good}\n"), "line 2 is not JSON")
    refuse(put(tmp_path / "b.jsonl", f"{good}\n[1, 2]\n"), "line 2 is not a JSON object")


def test_wrong_files(tmp_path: Path) -> None:
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


def test_ids_of_parquet_are_cast_exactly_or_refused(tmp_path: Path) -> None:
    path, arrow = tmp_path / "t.parquet", GOOD.to_arrow()

    def ids(values: pa.Array) -> Path:
        pq.write_table(arrow.set_column(arrow.schema.get_field_index("answer_id"), "answer_id", values), path)
        return path

    big = [Decimal("12345678901234567890"), Decimal(7), Decimal(8)]
    assert [row[2] for row in rows_of(ids(pa.array(big, pa.decimal128(30, 0))))] == ["12345678901234567890", "7", "8"]
    assert [row[2] for row in rows_of(ids(pa.array([d / 1 for d in (1, 20, 3)])))] == ["1", "20", "3"]
    cents = pa.array([Decimal("1.00"), Decimal("20.50"), Decimal("3.00")], pa.decimal128(10, 2))
    refuse(ids(cents), "row 2, column 'answer_id': 20.50 is no id; write ids as text")
    assert rows_of(ids(pa.array([Decimal("10.00"), Decimal(2), Decimal(3)], pa.decimal128(10, 2))))[0][2] == "10"
    refuse(ids(pa.array([1.0, 9007199254740993.0, 2.0])), "row 2, column 'answer_id'")
    raw = pa.array([uuid.UUID(int=n).bytes for n in range(3)], pa.binary(16))
    refuse(ids(raw), "the column 'answer_id' is fixed_size_binary[16]; cast it to text")
    refuse(ids(pa.ExtensionArray.from_storage(pa.uuid(), raw)), "the column 'answer_id' is extension<arrow.uuid>")
