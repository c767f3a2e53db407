"""Dumps of Reddit: known submissions and comments, packed or not, and what is wrong with real ones."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path
from typing import Any

import pytest
import zstandard
from dump_files import adds_up, counts, json_lines, made

from sociolect.common.errors import InputError
from sociolect.dumps.reddit import group_of


def submission(name: str, title: str = "Why is it so?", text: str = "", forum: str = "AskPhysics", **more: Any) -> Any:
    return {"id": name, "title": title, "selftext": text, "subreddit": forum, "author": "asker", "score": 3, **more}


def comment(name: str, of: str, body: str = "Since **it** is.", forum: str = "AskPhysics", **more: Any) -> Any:
    same = {"id": name, "link_id": f"t3_{of}", "parent_id": f"t3_{of}", "body": body, "subreddit": forum}
    return {**same, "author": f"by{name}", "score": 1, **more}


GOOD = (
    submission("s1", "Why &amp; how?", "I saw *it*.\n\nTwice."),
    comment("c1", "s1"),
    comment("c2", "s1", "&gt; I saw\n\nNo @joe.", score=7),
    submission("s2", forum="Physics"),
    comment("c3", "s2", forum="Physics"),
)


def test_submissions_and_top_comments_become_splits(tmp_path: Path) -> None:
    asked = json_lines(tmp_path / "RS.ndjson", *(row for row in GOOD if "title" in row))
    said = json_lines(tmp_path / "RC.ndjson", *(row for row in GOOD if "body" in row))
    # the comments first: the order of the files does not matter
    tables, imported = made("reddit", [said, asked], tmp_path / "data")
    assert [(row["answer_id"], row["answer"]) for row in tables["multi"]] == [
        ("s1-c1", "Since it is."),
        ("s1-c2", "No @[USER]."),
    ]
    assert tables["multi"][0]["question"] == "Why & how?\n\nI saw it.\n\nTwice."
    assert [row["answer_id"] for row in tables["single"]] == ["s1-c2", "s2-c3"]
    # only the forum that is called Ask..., and those who are asked there are the group of the other
    assert [row["answer_id"] for row in tables["askx"]] == ["s1-c1", "s1-c2"]
    assert {row["group"] for rows in tables.values() for row in rows} == {"physics"}
    assert adds_up(imported)


def test_what_is_left_out(tmp_path: Path) -> None:
    rows = (
        *GOOD,
        comment("c4", "s1", parent_id="t1_c1"),
        comment("c5", "s1", "[removed]"),
        comment("c6", "s1", "[deleted by user]"),
        comment("c7", "s1", author="AutoModerator"),
        comment("c8", "s1", author="quote_bot"),
        comment("c9", "s1", "&gt; only a quotation"),
        comment("d1", "gone"),
        submission("s3", is_self=False, url="https://x.org"),
        submission("s4", text="[removed]"),
        comment("d2", "s4"),
        comment("d3", "s1", author="[deleted]"),
        comment("d4", "s1", "[ Removed by reddit on account of violating the [content policy](/help/contentpolicy). ]"),
        comment("d5", "s1", "[ Removed by reddit in response to a copyright notice. ]"),
        comment("d6", "s1", "[Removed] the cover first, see [this]"),
        submission("s5", title="[deleted by user]"),
        comment("d7", "s5"),
    )
    tables, imported = made("reddit", [json_lines(tmp_path / "all.ndjson", *rows)], tmp_path / "data")
    assert [row["answer_id"] for row in tables["askx"]] == ["s1-c1", "s1-c2", "s1-d3", "s1-d6"]
    assert tables["askx"][2]["author"] is None
    met = counts(imported)
    assert (met["reply to an answer"], met["deleted or removed"], met["written by a bot"]) == (1, 6, 2)
    assert (met["no text is left"], met["link without a text"], met["answers of unknown authors"]) == (1, 1, 1)
    assert met["its question is not there, or left out"] == 3 and adds_up(imported)


def test_groups_are_chosen_and_renamed(tmp_path: Path) -> None:
    rows = (
        *GOOD,
        submission("s5", forum="AskHistorians"),
        comment("e1", "s5", forum="AskHistorians"),
    )
    path = json_lines(tmp_path / "all.ndjson", *rows)
    tables, imported = made(
        "reddit", [path], tmp_path / "data", rename={"historians": "history"}, groups=["history"], askx=["ask*"]
    )
    assert [(row["answer_id"], row["group"]) for row in tables["askx"]] == [("s5-e1", "history")]
    assert counts(imported)["of another group"] == 5 and "multi" not in tables


def test_the_groups_of_forums() -> None:
    assert [group_of(name) for name in ("AskPhysics", "ask_lawyers", "Physics", "Asking", "AskUK", "asklaw")] == [
        "physics",
        "lawyers",
        "physics",
        "ing",
        "askuk",
        "law",
    ]


def test_packed_dumps_give_the_same(tmp_path: Path) -> None:
    plain = json_lines(tmp_path / "all.ndjson", *GOOD)
    expected, _ = made("reddit", [plain], tmp_path / "plain")
    for ending, packer in ((".gz", gzip), (".bz2", bz2), (".xz", lzma)):
        path = tmp_path / f"all.ndjson{ending}"
        path.write_bytes(packer.compress(plain.read_bytes()))
        assert made("reddit", [path], tmp_path / ending)[0] == expected


def test_dumps_with_the_long_window_of_zstd_give_the_same(tmp_path: Path) -> None:
    plain = json_lines(tmp_path / "all.ndjson", *GOOD)
    expected, _ = made("reddit", [plain], tmp_path / "plain")
    zst = tmp_path / "all.zst"
    long = zstandard.ZstdCompressionParameters.from_level(1, window_log=31)
    half = len(data := plain.read_bytes()) // 2
    # frames one after the other, as parts of a dump that were joined, and without a size in their heads
    for part in (data[:half], data[half:]):
        packer = zstandard.ZstdCompressor(compression_params=long).compressobj()
        with zst.open("ab") as stream:
            stream.write(packer.compress(part) + packer.flush())
    assert made("reddit", [zst], tmp_path / "zst")[0] == expected
    zst.write_bytes(zst.read_bytes()[:-5])
    with pytest.raises(InputError, match=r"after line \d: the packed file is cut off or damaged"):
        made("reddit", [zst], tmp_path / "cut")
    zst.write_bytes(b"no zstd at all, but text")
    with pytest.raises(InputError, match=r"after line 0: the packed file is cut off or damaged"):
        made("reddit", [zst], tmp_path / "other")


def test_a_folder_is_refused_with_what_is_in_it(tmp_path: Path) -> None:
    for name in ("RS.zst", "RC.zst", "x.zst", "y.zst"):
        (tmp_path / "dump" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "dump" / name).touch()
    with pytest.raises(InputError) as caught:
        made("reddit", [tmp_path / "dump"], tmp_path / "data")
    said = "this is a folder (RC.zst, RS.zst, x.zst, ...); give the files of the dump"
    assert str(caught.value) == f"{tmp_path}/dump: {said}"


def test_a_gzip_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.ndjson.gz"
    path.write_bytes(gzip.compress(json_lines(tmp_path / "all", *GOOD).read_bytes())[:-9])
    with pytest.raises(InputError, match="cut off or damaged"):
        made("reddit", [path], tmp_path / "data")


def test_lines_that_are_none_are_counted_and_named(tmp_path: Path) -> None:
    path = json_lines(
        tmp_path / "all.ndjson",
        *GOOD,
        '{"id": "c',
        "[1, 2]",
        {"id": "x", "body": "no submission named"},
        comment("c4", "s1", "half of a pair \ud83d here"),
        {**comment("c5", "s1"), "body": None},
    )
    path.write_bytes(path.read_bytes() + b'{"id": "\xff"}\n')
    tables, imported = made("reddit", [path], tmp_path / "data")
    assert counts(imported)["line cannot be read"] == 5 and adds_up(imported)
    assert [line.removeprefix(f"{path}: ").partition(" (")[0] for line in imported.unread] == [
        "line 6: not JSON",
        "line 7: not a JSON object",
        "line 8: no link_id",
        "line 10: no text in body",
        "line 11: not JSON",
    ]
    assert {row["answer_id"]: row["answer"] for row in tables["askx"]}["s1-c4"] == "half of a pair \ufffd here"


def test_halves_of_pairs_are_no_text_in_names_and_ids_either(tmp_path: Path) -> None:
    """A text that was cut within an emoji has half of it; other emojis stay whole."""
    rows = (
        submission("s\ud83d", "Cut \ud83d", "Whole \U0001f600", forum="AskPhysics\ud83d"),
        comment("c\ude00", "s\ud83d", forum="AskPhysics\ud83d", author="joe\ud83d"),
        *GOOD[:2],
    )
    tables, imported = made("reddit", [json_lines(tmp_path / "all.ndjson", *rows)], tmp_path / "data")
    cut, good = sorted(tables["askx"], key=lambda row: row["answer_id"], reverse=True)
    assert (cut["question_id"], cut["answer_id"], cut["group"]) == ("s\ufffd", "s\ufffd-c\ufffd", "physics\ufffd")
    assert cut["question"] == "Cut \ufffd\n\nWhole \U0001f600" and cut["author"].startswith("u_")
    # a group of its own, not that of the name without the half
    assert good["group"] == "physics" and imported.unread == []


def test_halves_of_pairs_in_a_table_are_no_text(tmp_path: Path) -> None:
    # without ids, which are made of the question
    path = json_lines(tmp_path / "t.jsonl", {"question": "Cut \ud83d", "answer": "So.", "author": "x\ud83d"})
    (row,) = made("table", [path], tmp_path / "data")[0]["single"]
    assert row["question"] == "Cut \ufffd" and row["author"].startswith("u_")


def test_too_many_lines_that_are_none_end_the_import(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "all.ndjson", *GOOD, *["{"] * 11)
    with pytest.raises(InputError, match=r"line 6: not JSON .* \(11 of 16 lines cannot be read\)"):
        made("reddit", [path], tmp_path / "data")
