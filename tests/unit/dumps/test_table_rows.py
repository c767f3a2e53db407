"""Files of tables: rows that a quotation mark glues, bytes of another encoding, names that are there twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from dump_files import adds_up, counts, json_lines, made

from sociolect.common.errors import InputError


def table(folder: Path, n: int, header: str = "question,answer,group", **at: str) -> Path:
    """A CSV file of n rows, of the groups a and b in turn; `r3` is row 3."""
    grouped = "group" in header
    rows = [f"Why {row}?,So {row}" + (f",{'ba'[row % 2]}" if grouped else "") for row in range(1, n + 1)]
    for name, text in at.items():
        rows[int(name[1:]) - 1] = text
    path = folder / "t.csv"
    path.write_text("\n".join([header, *rows, ""]), "utf-8")
    return path


def test_rows_that_a_quotation_mark_glues_are_refused_as_in_a_run(tmp_path: Path) -> None:
    path = table(tmp_path, 200, r50='Why 50?,"15 inch is mine,a', r150='Why 150?,the screen has 20",b')
    with pytest.raises(InputError, match=r"t\.csv: lines 51 to 151 look like rows of their own"):
        made("table", [path], tmp_path / "data")
    # two of them are enough
    path = table(tmp_path, 200, r50='Why 50?,"15 inch is mine,a', r51='Why 51?,it has 20",b')
    with pytest.raises(InputError, match="lines 51 to 52 look like rows of their own"):
        made("table", [path], tmp_path / "data")


def test_every_row_that_a_broken_record_swallows_is_counted(tmp_path: Path) -> None:
    first, last = 'Why 50?,"15 inch,a', 'Why 54?,"20 inch,b'
    tables, imported = made("table", [table(tmp_path, 100, r50=first, r54=last)], tmp_path / "data")
    assert counts(imported)["line cannot be read"] == 5 and adds_up(imported)
    assert counts(imported)["posts, or answers of a table"] == 100 and len(tables["single"]) == 95
    assert imported.unread[4].endswith("t.csv: line 55: lines 51 to 55: ',' expected after '\"'")
    with pytest.raises(InputError, match=r"line 51: lines 51 to 151: .* \(101 of 200 lines cannot be read\)"):
        made("table", [table(tmp_path, 200, r50=first, r150=last)], tmp_path / "more")


def test_rows_of_a_table_without_groups_are_glued_where_chance_cannot_make_them(tmp_path: Path) -> None:
    header = "question,answer"
    path = table(tmp_path, 2000, header, r50='Why 50?,"15 inch', r64='Why 64?,has 20"')
    _, imported = made("table", [path], tmp_path / "data")
    assert counts(imported)["line cannot be read"] == 15 and adds_up(imported)
    # lines of a text may have a comma each
    path = table(tmp_path, 20, header, r5='Why 5?,"Roses are red,\nviolets are blue, sugar\nis sweet,"')
    tables, imported = made("table", [path], tmp_path / "poem")
    assert imported.unread == [] and len(tables["single"]) == 20


def test_texts_over_several_lines_with_commas_stay(tmp_path: Path) -> None:
    path = table(tmp_path, 9, r5='Why 5?,"a, b, c\nb, a, c\nc, a, b",a')
    tables, imported = made("table", [path], tmp_path / "data")
    assert imported.unread == [] and "a, b, c\nb, a, c\nc, a, b" in {row["answer"] for row in tables["single"]}


def test_a_byte_of_another_encoding_costs_the_whole_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'question,answer\nWhy?,"first line\nsecond caf\xe9 line, not true\nthird line"\nHow?,So.\n')
    tables, imported = made("table", [path], tmp_path / "data")
    assert [row["answer"] for row in tables["single"]] == ["So."] and adds_up(imported)
    assert imported.unread == [f"{path}: line 2: lines 2 to 4: byte 0xe9 is not UTF-8"]
    assert counts(imported)["line cannot be read"] == 1
    path.write_bytes(b"question,answer,caf\xe9\nWhy?,So.,a\nHow?,So.,b\n")
    with pytest.raises(InputError, match="line 1: byte 0xe9 is not UTF-8; the first line names the columns"):
        made("table", [path], tmp_path / "header")


def test_what_is_named_twice_is_refused_or_counted(tmp_path: Path) -> None:
    path = table(tmp_path, 1, "question,answer,answer,group", r1="Why?,So.,No.,a")
    with pytest.raises(InputError, match="the column 'answer' is there twice; keep one of them"):
        made("table", [path], tmp_path / "data")
    twice = '{"question": "Why?", "answer": "So.", "answer": "No.", "group": "a"}'
    path = json_lines(tmp_path / "t.jsonl", twice, {"question": "How?", "answer": "Well.", "group": "a"})
    tables, imported = made("table", [path], tmp_path / "json")
    assert [row["answer"] for row in tables["single"]] == ["Well."] and adds_up(imported)
    assert imported.unread == [f"{path}: line 1: not JSON (the key 'answer' is there twice; keep one of them)"]


def test_a_header_that_is_none_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("question;answer;group\nWhy?;So.;a\n")
    with pytest.raises(InputError, match="the fields are separated by semicolons: separate the fields by commas"):
        made("table", [path], tmp_path / "data")
