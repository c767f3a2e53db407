"""Tables with other columns: the same rows from every format, and faults named by file and column."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from dump_files import adds_up, counts, json_lines, made

from sociolect.common.errors import InputError
from sociolect.corpus.cleaning import clean_corpus
from sociolect.corpus.columns import COLUMNS
from sociolect.dumps.mapped import mapping_of, read_mapped
from sociolect.dumps.posts import Post
from sociolect.settings.corpus import CorpusSettings

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


def test_ids_of_the_table_stay_and_an_answer_has_that_of_its_question_before_its_own(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "t.jsonl", {"question_id": 7, "question": "Why?", "answer_id": "x", "answer": "So."})
    tables, _ = made("table", [path], tmp_path / "data", askx=["t"])
    assert [(row["question_id"], row["answer_id"], row["group"]) for row in tables["askx"]] == [("7", "7-x", "t")]


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


UNKNOWN = ["NA", "nan", "Unknown", "[deleted]", "N\u00adA", "\ufeffNA", " na\u200b"]


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_who_is_unknown_is_nobody_and_not_one_prolific_author(ending: str, tmp_path: Path) -> None:
    names = [*UNKNOWN, "joe", "Jose\u0301", "Jos\u00e9", "nancy"]
    frame = pl.DataFrame({"question": "Why?", "answer": [f"So, {n}." for n in range(len(names))], "author": names})
    path = tmp_path / f"t{ending}"
    frame.write_csv(path) if ending == ".csv" else frame.write_ndjson(path)
    tables, imported = made("table", [path], tmp_path / "data")
    found = {row["answer"]: row["author"] for row in tables["multi"]}
    authors = [found[answer] for answer in frame["answer"]]
    assert authors[:7] == [None] * 7 and counts(imported)["answers of unknown authors"] == 7
    # one name in two spellings of Unicode is one author, as it would be in a run
    assert None not in authors[7:] and authors[8] == authors[9] and len({*authors[7:]}) == 3


def test_an_id_is_what_a_run_makes_of_it(tmp_path: Path) -> None:
    # every control, what does not show, all kinds of blanks and line breaks, a letter in two characters
    odd = [*map(chr, range(0xA1)), *"\u00ad\u200b\u200e\u202a\u2060\u2066\ufeff\u2003\u2028\u3000", "e\u0301"]
    names = [f"a{one}b {number}" for number, one in enumerate(odd)]
    asked = {"question": "Why?", "answer": "So."}
    path = json_lines(tmp_path / "t.jsonl", *(asked | {"author": name} for name in names))
    posts = read_mapped(path, "t", mapping_of([]))
    own = [{"answer_id": f"{i:03d}", "answer": f"{i} words", "author": name} for i, name in enumerate(names)]
    rows = [{"question_id": "q", "question": "Why?", "group": "g"} | row for row in own]
    settings = CorpusSettings.model_validate({"min_chars": 1})
    run, _ = clean_corpus(pl.DataFrame(rows).select(list(COLUMNS)), "single", settings, "here")
    assert [post.author for post in posts if isinstance(post, Post)] == run["author"].to_list()


def test_missing_numbers_are_missing_and_bytes_are_text_or_unread(tmp_path: Path) -> None:
    nan = float("nan")
    rows = {
        "question": [b"Why?", b"How?", b"Who?", b"When?"],
        "answer": ["Gr\u00fcn.".encode(), b"W\xe4ll.", b"Me.", b"Now."],
        "author": [1.0, 2.0, nan, nan],
        "question_id": [1.0, 2.0, 3.0, nan],
    }
    pl.DataFrame(rows).write_parquet(tmp_path / "t.parquet")
    tables, imported = made("table", [tmp_path / "t.parquet"], tmp_path / "data")
    assert {row["answer"]: row["author"] is None for row in tables["single"]} == {
        "Gr\u00fcn.": False,
        "Me.": True,
        "Now.": True,
    }
    assert sorted(row["question_id"] for row in tables["single"])[:2] == ["1", "3"]
    assert imported.unread == [f"{tmp_path}/t.parquet: line 2: column 'answer' holds the byte 0xe4, which is not UTF-8"]
    # the same author, as a whole number
    pl.DataFrame({"question": "Why?", "answer": "So.", "author": [1]}).write_csv(tmp_path / "t.csv")
    whole, _ = made("table", [tmp_path / "t.csv"], tmp_path / "csv")
    assert whole["single"][0]["author"] in {row["author"] for row in tables["single"]}
    # NaN in JSON Lines is no text
    path = json_lines(tmp_path / "t.jsonl", {"question": "Why?", "answer": nan}, {"question": "How?", "answer": "So."})
    _, imported = made("table", [path], tmp_path / "json")
    assert counts(imported)["no text is left"] == 1 and adds_up(imported)


def test_halves_of_surrogate_pairs_are_marked_in_every_column(tmp_path: Path) -> None:
    half = "x\ud83d"
    row = {"question_id": "1", "question": "Why?", "answer": "So.", "author": "x", "group": "a"}
    path = json_lines(tmp_path / "t.jsonl", row, {name: half for name in row})
    json_lines(tmp_path / "u.jsonl", {"question": half, "answer": half})
    tables, _ = made("table", [path, tmp_path / "u.jsonl"], tmp_path / "data")
    assert sorted((row["question"], row["group"]) for row in tables["single"]) == [
        ("Why?", "a"),
        ("x\ufffd", "u"),
        ("x\ufffd", "x\ufffd"),
    ]


def test_columns_with_a_dot_in_their_name_are_found_in_parquet_as_in_csv(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"question": "Why?", "answer": ["So.", "It is."], "user.name": ["joe", "ann"], "meta.score": [1, 2]}
    )
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_csv(tmp_path / "t.csv")
    for ending in ("parquet", "csv"):
        columns = ["author=user.name", "score=meta.score"]
        tables, _ = made("table", [tmp_path / f"t.{ending}"], tmp_path / ending, columns)
        assert [row["answer"] for row in tables["single"]] == ["It is."], ending
        assert len({row["author"] for row in tables["multi"]} - {None}) == 2, ending


def test_keys_that_a_line_leaves_out_are_null(tmp_path: Path) -> None:
    path = json_lines(
        tmp_path / "t.jsonl",
        {"title": "Why?", "answer": "So."},
        {"title": "Why?", "selftext": "Say.", "answer": "It is.", "group": "a"},
        {"title": "Why?", "selftext": "Say.", "answer": "It was.", "group": "a", "ups": 3},
    )
    tables, imported = made("table", [path], tmp_path / "data", ["question=title", "body=selftext", "score=ups"])
    # the first has no group, which is not the file's name
    assert [(row["question"], row["answer"], row["group"]) for row in tables["single"]] == [
        ("Why?\n\nSay.", "It was.", "a")
    ]
    assert counts(imported)["of another group"] == 1


def test_a_group_after_very_many_lines_without_one_is_refused(tmp_path: Path) -> None:
    row = {"question": "Why?", "answer": "So."}
    path = json_lines(tmp_path / "t.jsonl", *[row] * 1000, {**row, "group": "a"})
    with pytest.raises(InputError, match="line 1001: the first one with the key 'group'; write it in line 1 too"):
        made("table", [path], tmp_path / "data")


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
