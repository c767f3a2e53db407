"""Posts.xml: known posts, groups by site and by tag, and what is wrong with real dumps."""

from __future__ import annotations

from pathlib import Path

import pytest
from dump_files import END, HEAD, adds_up, answer, counts, made, question, row, site

from sociolect.common.errors import InputError
from sociolect.dumps.stackexchange import site_of

GOOD = (
    question(1, "Why is the sky blue?", "<p>I saw it.</p>", AcceptedAnswerId=3, Tags="<light><sky>"),
    answer(2, 1, "<p>Rayleigh.</p><p>Small things scatter blue.</p>", Score=9, OwnerUserId=8),
    answer(3, 1, "<p>It is the air.</p>", Score=1, OwnerUserId=9),
    question(4, "What is a lens?", "", Tags="|lenses|"),
    answer(5, 4, "<p>Glass.</p>", OwnerUserId=8),
)


def test_posts_become_splits(tmp_path: Path) -> None:
    tables, imported = made("stackexchange", [site(tmp_path, *GOOD).parent], tmp_path / "data")
    by_id = {row["answer_id"]: row for row in tables["askx"]}
    first = by_id["optics-1-2"]
    assert first["question"] == "Why is the sky blue?\n\nI saw it."
    assert first["answer"] == "Rayleigh.\n\nSmall things scatter blue."
    assert first["group"] == "optics" and first["question_id"] == "optics-1"
    assert first["author"] == by_id["optics-4-5"]["author"] != by_id["optics-1-3"]["author"]
    # accepted before the higher score
    assert [row["answer_id"] for row in tables["single"]] == ["optics-1-3", "optics-4-5"]
    assert [row["answer_id"] for row in tables["multi"]] == ["optics-1-2", "optics-1-3"]
    assert by_id.keys() == {"optics-1-2", "optics-1-3", "optics-4-5"}
    assert counts(imported)["posts, or answers of a table"] == 5 and adds_up(imported)


def test_without_an_accepted_answer_the_highest_score_is_best_and_of_equals_the_first(tmp_path: Path) -> None:
    rows = [question(1), answer(7, 1, Score=2), answer(5, 1, Score=3), answer(6, 1, Score=3)]
    tables, _ = made("stackexchange", [site(tmp_path, *rows)], tmp_path / "data")
    assert [row["answer_id"] for row in tables["single"]] == ["optics-1-5"]


def test_single_can_be_questions_with_one_answer(tmp_path: Path) -> None:
    tables, imported = made("stackexchange", [site(tmp_path, *GOOD)], tmp_path / "data", single="only")
    assert [row["answer_id"] for row in tables["single"]] == ["optics-4-5"]
    assert counts(imported)["its question has several answers"] == 2 and adds_up(imported)


def test_tags_are_groups_by_choice(tmp_path: Path) -> None:
    rows = (
        *GOOD,
        question(10, Tags="<light><lenses>"),
        answer(11, 10, OwnerUserId=4),
        question(12, Tags="<other>"),
    )
    tables, imported = made(
        "stackexchange",
        [site(tmp_path, *rows)],
        tmp_path / "data",
        tags=["light", "lenses"],
        groups=["light", "lenses"],
    )
    groups = {row["answer_id"]: row["group"] for row in tables["askx"]}
    assert groups == {"optics-1-2": "light", "optics-1-3": "light", "optics-4-5": "lenses"}
    met = counts(imported)
    assert met["of two groups at once"] == met["of another group"] == 1 and adds_up(imported)
    assert met["its question is not there, or left out"] == 1


def test_the_names_of_sites() -> None:
    assert site_of(Path("/a/physics.stackexchange.com/Posts.xml")) == "physics"
    assert site_of(Path("/a/stackoverflow.com-Posts.xml.gz")) == "stackoverflow"
    assert site_of(Path("/a/beer.xml")) == "beer"


def test_two_sites_of_one_name_are_refused(tmp_path: Path) -> None:
    paths = [site(tmp_path / name, *GOOD) for name in ("a", "b")]
    with pytest.raises(InputError, match=r"the site optics is in .* too"):
        made("stackexchange", paths, tmp_path / "data")


def test_posts_without_owner_by_the_system_and_of_other_kinds(tmp_path: Path) -> None:
    rows = (
        question(1, OwnerUserId="-1"),
        answer(2, 1),
        question(3),
        answer(4, 3),
        answer(5, 3, OwnerDisplayName="user77"),
        answer(6, 3, OwnerUserId="-1"),
        answer(7, 3, OwnerDisplayName="HelperBot"),
        answer(8, 3, "<pre><code>x = 1</code></pre>", OwnerUserId=2),
        row(Id=9, PostTypeId=5, Body="wiki"),
    )
    tables, imported = made("stackexchange", [site(tmp_path, *rows)], tmp_path / "data")
    authors = {row["answer_id"]: row["author"] for row in tables["askx"]}
    assert authors.keys() == {"optics-3-4", "optics-3-5"}
    assert authors["optics-3-4"] is None and authors["optics-3-5"].startswith("u_")
    met = counts(imported)
    assert met["written by a bot"] == 3 and met["no text is left"] == 1 and met["neither question nor answer"] == 1
    # of the two without an owner, one is no answer any more
    assert met["answers of unknown authors"] == 2 and met["its question is not there, or left out"] == 1
    assert adds_up(imported)


def test_a_line_that_was_cut_is_counted_and_costs_itself_alone(tmp_path: Path) -> None:
    cut = answer(3, 1)[:40] + "\n"
    path = site(tmp_path, GOOD[0], cut, GOOD[1], GOOD[2])
    tables, imported = made("stackexchange", [path], tmp_path / "data")
    assert [row["answer_id"] for row in tables["multi"]] == ["optics-1-2", "optics-1-3"]
    assert counts(imported)["line cannot be read"] == 1 and adds_up(imported)
    assert imported.unread == [f"{path}: line 4: unclosed token"]


def test_a_file_that_ends_too_early_says_so(tmp_path: Path) -> None:
    path = site(tmp_path, *GOOD[:2], answer(3, 1)[:30], end="")
    _, imported = made("stackexchange", [path], tmp_path / "data")
    assert imported.unread == [
        f"{path}: line 5: unclosed token",
        f"{path}: line 6: the file ends without </posts>: it is cut off",
    ]


def test_a_post_over_several_lines_is_one(tmp_path: Path) -> None:
    path = site(tmp_path, GOOD[0], GOOD[1].replace(" Body=", "\n    Body="))
    tables, _ = made("stackexchange", [path], tmp_path / "data")
    assert [row["answer_id"] for row in tables["askx"]] == ["optics-1-2"]


@pytest.mark.parametrize("between", ["", "\n", " ", "\n\n"])
def test_posts_on_the_line_of_the_frame_are_posts(between: str, tmp_path: Path) -> None:
    """As writers of XML have it that put no line feeds between tags, or only some."""
    rows = between.join(part.strip() for part in (GOOD[0], GOOD[1].replace(" />", "></row>"), GOOD[2]))
    path = site(tmp_path, f"<posts>{rows}</posts>", head="<?xml version='1.0' encoding='utf-8'?>", end="")
    tables, imported = made("stackexchange", [path], tmp_path / "data")
    assert [row["answer_id"] for row in tables["multi"]] == ["optics-1-2", "optics-1-3"]
    assert counts(imported)["posts, or answers of a table"] == 3 and imported.unread == []


def test_a_post_that_was_cut_on_a_line_of_several_costs_itself_alone(tmp_path: Path) -> None:
    path = site(tmp_path, *(part.strip() for part in (GOOD[0], answer(9, 1)[:40], GOOD[1])))
    tables, imported = made("stackexchange", [path], tmp_path / "data")
    assert [row["answer_id"] for row in tables["single"]] == ["optics-1-2"]
    assert imported.unread == [f"{path}: line 3: unclosed token"]


def test_characters_that_xml_forbids_are_blanks(tmp_path: Path) -> None:
    path = site(tmp_path, GOOD[0], answer(2, 1, "<p>a@b</p>").replace("@", "&#xB;"))
    tables, imported = made("stackexchange", [path], tmp_path / "data")
    assert tables["askx"][0]["answer"] == "a b" and imported.unread == []


def test_bytes_of_another_encoding_are_named_with_their_line(tmp_path: Path) -> None:
    path = site(tmp_path, *GOOD)
    path.write_bytes(path.read_bytes().replace(b"Glass", b"Gla\xdf"))
    _, imported = made("stackexchange", [path], tmp_path / "data")
    assert imported.unread == [f"{path}: line 7: not well-formed (invalid token)"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (HEAD.replace("utf-8", "iso-8859-1") + END, "line 1: it is in iso-8859-1; write it as UTF-8"),
        ((HEAD + END).encode("utf-16"), "line 1: this is UTF-16"),
        ("", "the file is empty"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", r"an archive \(.7z\): unpack it \(`7z x .*Posts.xml -o"),
        (HEAD + row(Id=1, Name="a badge") + END, r"line 3: no PostTypeId \(1 of 1 lines cannot be read\)"),
        (HEAD + END, r"no answer is left \(nothing read\)"),
        ("<posts />", r"no answer is left \(nothing read\)"),
        (HEAD + GOOD[0] + END, r"no answer is left \(posts, or answers of a table: 1; questions"),
    ],
)
def test_what_is_no_dump_is_refused(data: str | bytes, said: str, tmp_path: Path) -> None:
    path = site(tmp_path)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(InputError, match=said) as caught:
        made("stackexchange", [path], tmp_path / "data")
    assert str(path) in str(caught.value)
    assert not list((tmp_path / "data").glob("*")), "nothing is left behind"


def test_a_dump_given_twice_is_counted_once(tmp_path: Path) -> None:
    path = site(tmp_path, *GOOD, *GOOD)
    tables, imported = made("stackexchange", [path], tmp_path / "data")
    assert len(tables["askx"]) == 3
    assert counts(imported)["there twice"] == 3 and adds_up(imported)


def test_a_question_with_two_texts_goes_with_its_answers(tmp_path: Path) -> None:
    path = site(tmp_path, *GOOD, question(1, "Another text?"))
    tables, imported = made("stackexchange", [path], tmp_path / "data")
    assert [row["answer_id"] for row in tables["askx"]] == ["optics-4-5"]
    assert counts(imported)["its question has two texts"] == 2 and adds_up(imported)
