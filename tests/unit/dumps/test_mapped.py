"""Tables with other columns: the same rows from every format, and faults named by file and column."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from dump_files import adds_up, counts, json_lines, made

from sociolect.common.errors import InputError
from sociolect.dumps.mapped import mapping_of

ROWS = [
    {"title": "Why?", "body": "Say,\nplease.", "reply": 'It "is".', "user": "joe", "sub": "a", "ups": 1, "ok": False},
    {"title": "Why?", "body": "Say,\nplease.", "reply": "It was.", "user": None, "sub": "a", "ups": 0, "ok": True},
    {"title": "How?", "body": None, "reply": "So.", "user": "ann", "sub": "b", "ups": 5, "ok": False},
]
MAP = ["question=title", "body=body", "answer=reply", "author=user", "group=sub", "score=ups", "accepted=ok"]


def written(folder: Path, ending: str) -> Path:
    frame = pl.DataFrame(ROWS)
    path = folder / f"forum{ending}"
    if ending == ".parquet":
        frame.write_parquet(path)
    elif ending == ".csv":
        frame.write_csv(path)
    else:
        frame.write_ndjson(path)
    return path


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_a_table_is_read_from_every_format(ending: str, tmp_path: Path) -> None:
    tables, imported = made("table", [written(tmp_path, ending)], tmp_path / "data", MAP)
    assert sorted((row["question"], row["answer"], row["group"]) for row in tables["multi"]) == [
        ("Why?\n\nSay,\nplease.", 'It "is".', "a"),
        ("Why?\n\nSay,\nplease.", "It was.", "a"),
    ]
    # the accepted one; the question that two rows share has one id
    assert sorted(row["answer"] for row in tables["single"]) == ["It was.", "So."]
    assert len({row["question_id"] for row in tables["multi"]}) == 1
    assert {row["author"] is None for row in tables["multi"]} == {True, False}
    assert "askx" not in tables and adds_up(imported)


def test_ids_of_the_table_stay(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "t.jsonl", {"question_id": 7, "question": "Why?", "answer_id": "x", "answer": "So."})
    tables, _ = made("table", [path], tmp_path / "data", askx=["t"])
    assert [(row["question_id"], row["answer_id"], row["group"]) for row in tables["askx"]] == [("7", "x", "t")]


def test_a_dataset_folder_is_its_parquet_files_and_names_the_group(tmp_path: Path) -> None:
    for number, row in enumerate(ROWS):
        path = tmp_path / "chemists" / "data" / f"train-{number:05d}-of-00003.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pl.DataFrame([row]).write_parquet(path)
    tables, imported = made("table", [tmp_path / "chemists"], tmp_path / "data", MAP[:3])
    assert sorted(row["answer"] for row in tables["multi"]) == ['It "is".', "It was."]
    assert {row["group"] for row in tables["single"]} == {"chemists"}
    assert counts(imported)["posts, or answers of a table"] == 3


def test_keys_within_others(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "t.jsonl", {"q": {"text": "Why?"}, "a": {"text": "So."}})
    tables, _ = made("table", [path], tmp_path / "data", ["question=q.text", "answer=a.text"])
    assert (tables["single"][0]["question"], tables["single"][0]["answer"]) == ("Why?", "So.")


def test_markup_of_a_table_is_a_choice(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "t.jsonl", {"question": "Why?", "answer": "<p>So.</p>"})
    assert made("table", [path], tmp_path / "plain")[0]["single"][0]["answer"] == "<p>So.</p>"
    assert made("table", [path], tmp_path / "html", markup="html")[0]["single"][0]["answer"] == "So."


def test_rows_without_a_group_or_a_text_are_left_out(tmp_path: Path) -> None:
    path = json_lines(
        tmp_path / "t.jsonl",
        {"question": "Why?", "answer": "So.", "group": "a"},
        {"question": "Why?", "answer": "So.", "group": None},
        {"question": "Why?", "answer": " ", "group": "a"},
        {"question": None, "answer": "So.", "group": "a"},
    )
    _, imported = made("table", [path], tmp_path / "data")
    met = counts(imported)
    assert met["of another group"] == 1 and met["no text is left"] == 2 and adds_up(imported)


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_an_unknown_column_is_named_with_those_that_are_there(ending: str, tmp_path: Path) -> None:
    path = written(tmp_path, ending)
    said = "no column 'titles' for question; the file has title, body, reply, .*; write question=title in the mapping"
    with pytest.raises(InputError, match=said) as caught:
        made("table", [path], tmp_path / "data", ["question=titles", "answer=reply"])
    assert str(path) in str(caught.value)
    with pytest.raises(InputError, match="no column 'answer' for answer"):
        made("table", [path], tmp_path / "data", ["question=title"])


def test_lines_of_csv_that_are_none_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'question,answer\nWhy?,So.\nWhy?,So,too\nHow?,Gr\xfcn\nWho?,"We"x\nWhen?,Now.\n')
    tables, imported = made("table", [path], tmp_path / "data")
    assert sorted(row["answer"] for row in tables["single"]) == ["Now.", "So."]
    assert [line.removeprefix(f"{path}: ") for line in imported.unread] == [
        "line 3: 3 fields, and the header has 2",
        "line 4: byte 0xfc is not UTF-8",
        "line 5: ',' expected after '\"'",
    ]
    assert adds_up(imported)


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["So.", "It is.", ""], "ups": [1, 4, 9]},
        [{"text": "So.", "ups": 1}, {"text": "It is.", "ups": 4}, {"text": None, "ups": 9}],
    ],
)
@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_a_list_of_answers_is_as_many_answers(answers: object, ending: str, tmp_path: Path) -> None:
    rows = [{"title": "Why?", "answers": answers}, {"title": "How?", "answers": type(answers)()}]
    path = tmp_path / f"t{ending}"
    if ending == ".jsonl":
        json_lines(path, *rows)
    else:
        pl.DataFrame(rows[:1]).write_parquet(path)
    columns = ["question=title", "answer=answers.text", "score=answers.ups"]
    tables, imported = made("table", [path], tmp_path / "data", columns)
    assert sorted(row["answer"] for row in tables["multi"]) == ["It is.", "So."]
    assert [row["answer"] for row in tables["single"]] == ["It is."]
    assert adds_up(imported)


def test_files_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / "set" / name).mkdir(parents=True)
        pl.DataFrame({"question": "Why?", "answer": f"So, {name}."}).write_parquet(tmp_path / f"set/{name}/0.parquet")
    tables, _ = made("table", [tmp_path / "set"], tmp_path / "data")
    assert sorted(row["answer"] for row in tables["multi"]) == ["So, test.", "So, train."]


def test_lists_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"question": [["Why?"]], "answer": ["a"]}).write_parquet(path)
    with pytest.raises(InputError, match=r"line 1: column 'question' holds a list or an object, not a text"):
        made("table", [path], tmp_path / "data")


def test_a_cut_parquet_file_and_an_unknown_ending_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, ".parquet")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="not a whole parquet file"):
        made("table", [path], tmp_path / "data", MAP)
    other = path.rename(tmp_path / "forum.xlsx")
    with pytest.raises(InputError, match=r"its ending is not one of \.parquet"):
        made("table", [other], tmp_path / "data", MAP)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no file in this folder ends in \.parquet"):
        made("table", [tmp_path / "empty"], tmp_path / "data", MAP)
    with pytest.raises(InputError, match="no such file or folder"):
        made("table", [tmp_path / "nowhere"], tmp_path / "data", MAP)


def test_mappings_of_another_form_are_refused() -> None:
    assert mapping_of(["answer=a=b"])["answer"] == "a=b"
    with pytest.raises(InputError, match="there is no field 'reply'; the fields are question_id"):
        mapping_of(["reply=x"])
    with pytest.raises(InputError, match="write field=column"):
        mapping_of(["question"])
