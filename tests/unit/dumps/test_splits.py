"""Which answers belong together: by question and group, and by ids that several files count anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dump_files import adds_up, counts, made

from sociolect.dumps import spill

HEADER = "question_id,question,answer_id,answer,author,group\n"


def csv_file(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text(header + "".join(f"{row}\n" for row in rows), "utf-8")
    return path


def seen(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row[name] for name in names) for row in rows)


def test_an_answer_stays_in_its_own_group(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path / "survey.csv",
        "q1,Hello?,a1,Good day.,u1,nurses",
        "q1,Hello?,a2,Yo.,u2,miners",
        "q1,Hello?,a3,Howdy.,u3,miners",
        "q2,Food?,a4,Bread.,u1,miners",
        "q2,Food?,a5,Soup.,u2,nurses",
    )
    tables, imported = made("table", [path], tmp_path / "data", askx=["miners"])
    # the best of each group, not of all groups; several are several of a group
    assert seen(tables["single"], "group", "answer") == [
        ("miners", "Bread."),
        ("miners", "Yo."),
        ("nurses", "Good day."),
        ("nurses", "Soup."),
    ]
    assert seen(tables["multi"], "group", "answer") == [("miners", "Howdy."), ("miners", "Yo.")]
    assert seen(tables["askx"], "group", "answer") == [("miners", "Bread."), ("miners", "Howdy."), ("miners", "Yo.")]
    assert imported.sizes["askx", "miners"] == (3, 2) and adds_up(imported)
    # a question without an id, known by its text, is one over all groups as well
    rows = ("Hello?,Good day.,nurses", "Hello?,Yo.,miners")
    tables, _ = made("table", [csv_file(path, *rows, header="question,answer,group\n")], tmp_path / "text")
    assert len({row["question_id"] for row in tables["single"]}) == 1 and len(tables["single"]) == 2


@pytest.mark.parametrize("bucket", [spill.BUCKET, 100])
def test_ids_that_every_question_counts_anew_are_different_answers(
    bucket: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"q{q},Why {q}?,{a},So {a} to {q}.,,{'ab'[q % 2]}" for q in range(6) for a in (1, 2, 3)]
    monkeypatch.setattr(spill, "BUCKET", bucket)
    tables, imported = made("table", [csv_file(tmp_path / "num.csv", *rows)], tmp_path / "data")
    assert [row["answer_id"] for row in tables["multi"]] == [f"q{q}-{a}" for q in range(6) for a in (1, 2, 3)]
    assert "there twice" not in counts(imported) and adds_up(imported)


def test_questions_that_every_file_counts_anew_are_different_ones(tmp_path: Path) -> None:
    header = "question_id,question,answer_id,answer\n"
    paths = [
        csv_file(
            tmp_path / f"{name}.csv",
            *(f"{n},Why {n} of {name}?,{n},So {n}." for n in range(1, 1 + many)),
            header=header,
        )
        for name, many in (("a", 10), ("b", 15))
    ]
    tables, imported = made("table", paths, tmp_path / "data")
    assert imported.sizes == {("single", "b"): (15, 15), ("single", "a"): (10, 10)} and adds_up(imported)
    ids = {row["question"]: (row["question_id"], row["answer_id"]) for row in tables["single"]}
    # only an id that stands for two texts gets the name of its file
    assert (ids["Why 1 of a?"], ids["Why 1 of b?"]) == (("a-1", "a-1-1"), ("b-1", "b-1-1"))
    assert ids["Why 11 of b?"] == ("11", "11-11")
    assert len({row["answer_id"] for row in tables["single"]}) == 25


def test_a_question_that_files_share_is_one_with_the_answers_of_both(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    header = "question_id,question,answer_id,answer,author\n"
    paths = [
        csv_file(tmp_path / "nurses.csv", "q1,Hello?,1,Yes.,u1", "q1,Hello?,2,No.,u2", header=header),
        csv_file(tmp_path / "miners.csv", "q1,Hello?,1,Yes.,v1", "q1,Hello?,2,Yo.,v2", header=header),
        # of one name, and the second file of miners: the first answer is there twice, the second one is another
        csv_file(tmp_path / "other/miners.csv", "q1,Hello?,1,Yes.,v1", "q1,Hello?,2,Hey.,v3", header=header),
    ]
    tables, imported = made("table", paths, tmp_path / "data")
    assert seen(tables["multi"], "question_id", "answer_id", "answer", "group") == [
        ("q1", "miners-2-q1-2", "Hey.", "miners"),
        ("q1", "miners-q1-1", "Yes.", "miners"),
        ("q1", "miners-q1-2", "Yo.", "miners"),
        ("q1", "nurses-q1-1", "Yes.", "nurses"),
        ("q1", "nurses-q1-2", "No.", "nurses"),
    ]
    assert counts(imported)["there twice"] == 1 and adds_up(imported)


def test_an_id_of_two_answers_in_one_file_is_said_by_name(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", "q1,Why?,1,So.,u1,a", "q1,Why?,1,So.,u1,a", "q1,Why?,1,No.,u2,a")
    tables, imported = made("table", [path], tmp_path / "data")
    assert [row["answer"] for row in tables["single"]] == ["So."] and adds_up(imported)
    assert (counts(imported)["there twice"], counts(imported)["another answer has its id"]) == (1, 1)
