"""CSV files that are written otherwise: the import says how, and never to map columns that are there."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from dump_files import made

from sociolect.common.errors import InputError

ROWS = "question,answer,group\nWhy?,So.,a\nHow?,Well.,b\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ROWS.replace(",", ";"), "the fields are separated by semicolons: separate the fields by commas"),
        (ROWS.replace(",", "\t"), "the fields are separated by tabs: separate the fields by commas"),
        (
            '"question";"answer"\n"Why?";"So."\n',
            "the fields are separated by semicolons: separate the fields by commas",
        ),
        (f"# by hand, 2024\n{ROWS}", "line 1 is a comment ('# by hand, 2024'): take it out"),
        (ROWS.replace("\n", "\r"), "its lines end in carriage returns alone; write it with line feeds"),
        ('"question","answer"\r"Why?","So."\r', "its lines end in carriage returns alone; write it with line feeds"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_the_file_is_instead_is_said(text: str, said: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    with pytest.raises(InputError) as caught:
        made("table", [path], tmp_path / "data")
    assert str(caught.value).startswith(f"{path}: {said}") and "in the mapping" not in str(caught.value)
    assert not (tmp_path / "data").exists(), "known before anything is read"


@pytest.mark.parametrize(
    "text",
    [
        # as headers go: the first column begins with a #, a name has a semicolon, a blank line comes first
        "#,question,answer\n1,Why?,So.\n",
        "question;s,question,answer\n1,Why?,So.\n",
        "\n\nquestion,answer\r\nWhy?,So.\r\n",
        # the return is in a text
        '"a\rb",question,answer\n1,Why?,So.\n',
    ],
)
def test_odd_headers_are_headers(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    tables, _ = made("table", [path], tmp_path / "data")
    assert [(row["question"], row["answer"]) for row in tables["single"]] == [("Why?", "So.")]


def test_other_names_are_a_matter_of_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("#,title,reply\n1,Why?,So.\n")
    tables, _ = made("table", [path], tmp_path / "data", ["question=title", "answer=reply"])
    assert [row["answer"] for row in tables["single"]] == ["So."]
    with pytest.raises(InputError, match="write question=title in the mapping"):
        path.write_text("id,title,reply\n1,Why?,So.\n")
        made("table", [path], tmp_path / "other", ["question=titles", "answer=reply"])
