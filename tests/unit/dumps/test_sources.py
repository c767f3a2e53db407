"""Every kind of dump: the same faults are counted or named, and what was a corpus is the same one again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dump_files import adds_up, answer, counts, json_lines, made, question, site

from sociolect.common.errors import InputError
from sociolect.dumps.importing import Imported
from sociolect.dumps.sources import KINDS_OF_DUMPS
from written_dumps import write_forum, write_sites

KINDS = tuple(KINDS_OF_DUMPS)
HEADER = "question_id,question,answer_id,answer,author,group\n"


def dump(kind: str, folder: Path, **fault: Any) -> Path:
    """A question with the answers a and b, and one of c; of a known author but for `nobody`."""
    nobody = fault.get("nobody")
    folder.mkdir(exist_ok=True)
    if kind == "stackexchange":
        owner: dict[str, Any] = {} if nobody else {"OwnerUserId": 7}
        rows = [question(1, "Why?"), answer(2, 1, "<p>So.</p>", **owner), answer(3, 1, "<p>Grün.</p>", OwnerUserId=8)]
        return site(folder, *rows, question(4, "How?"), answer(5, 4, "<p>Well.</p>", OwnerUserId=9))
    if kind == "reddit":
        asked = [{"id": name, "title": title, "subreddit": "AskX1"} for name, title in (("a", "Why?"), ("b", "How?"))]
        said = [
            ("c", "a", "So.", "[deleted]" if nobody else "u7"),
            ("d", "a", "Grün.", "u8"),
            ("e", "b", "Well.", "u9"),
        ]
        comments = [
            {
                "id": name,
                "link_id": f"t3_{of}",
                "parent_id": f"t3_{of}",
                "body": text,
                "author": by,
                "subreddit": "AskX1",
            }
            for name, of, text, by in said
        ]
        path = json_lines(folder / "all.ndjson", *asked, *comments)
        path.write_text(path.read_text().replace("\\u00fc", "ü"), "utf-8")
        return path
    path = folder / "t.csv"
    author = "" if nobody else "u7"
    path.write_text(f"{HEADER}q1,Why?,a1,So.,{author},x\nq1,Why?,a2,Grün.,u8,x\nq2,How?,a3,Well.,u9,x\n", "utf-8")
    return path


def written(imported: Imported) -> int:
    return next(step.n for step in imported.steps if (step.split, step.what) == ("single", "written"))


def with_line(path: Path, edit: Callable[[bytes], bytes]) -> int:
    """Edit the line with the third answer, of the second question; its number."""
    lines = path.read_bytes().split(b"\n")
    number = next(number for number, line in enumerate(lines) if b"Well." in line)
    lines[number] = edit(lines[number])
    path.write_bytes(b"\n".join(lines))
    return number + 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_was_cut_is_counted_and_named(kind: str, tmp_path: Path) -> None:
    path = dump(kind, tmp_path)
    number = with_line(path, lambda line: line[: len(line) // 2])
    _, imported = made(kind, [path], tmp_path / "data")
    assert counts(imported)["line cannot be read"] == 1 and adds_up(imported)
    assert [line.partition(": ")[2].partition(":")[0] for line in imported.unread] == [f"line {number}"]
    assert written(imported) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_in_another_encoding_is_counted_and_named_and_such_a_file_refused(kind: str, tmp_path: Path) -> None:
    path = dump(kind, tmp_path)
    number = with_line(path, lambda line: line.replace(b"Well", b"W\xe4ll"))
    _, imported = made(kind, [path], tmp_path / "data")
    assert counts(imported)["line cannot be read"] == 1 and adds_up(imported)
    assert imported.unread[0].startswith(f"{path}: line {number}: ")
    path.write_bytes(dump(kind, tmp_path).read_bytes().decode().encode("utf-16"))
    with pytest.raises(InputError, match="this is UTF-16; write it as UTF-8") as caught:
        made(kind, [path], tmp_path / "other")
    assert str(path) in str(caught.value) and not list((tmp_path / "other").glob("*"))


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("stackexchange", b" Body=", b' ViewCount="9" Body='),
        ("reddit", b'"subreddit"', b'"gilded": [9], "subreddit"'),
        ("table", b"\nq", b"\n9,q"),
    ],
)
def test_a_column_that_nobody_knows_changes_nothing(kind: str, old: bytes, new: bytes, tmp_path: Path) -> None:
    path = dump(kind, tmp_path)
    expected, _ = made(kind, [path], tmp_path / "data")
    text = path.read_bytes()
    path.write_bytes((b"gilded," if kind == "table" else b"") + text.replace(old, new))
    assert path.read_bytes().count(new) >= 3
    tables, imported = made(kind, [path], tmp_path / "more")
    assert tables == expected and imported.unread == []


@pytest.mark.parametrize(
    ("kind", "old", "said"),
    [
        ("stackexchange", b"ParentId", "line 4: no ParentId"),
        ("reddit", b"link_id", "line 3: no link_id"),
        ("table", b"answer,", "no column 'answer' for answer; the file has question_id, question, answer_id, Xanswer"),
    ],
)
def test_a_column_that_is_missing_is_named(kind: str, old: bytes, said: str, tmp_path: Path) -> None:
    path = dump(kind, tmp_path)
    path.write_bytes(path.read_bytes().replace(old, b"X" + old))
    with pytest.raises(InputError) as caught:
        made(kind, [path], tmp_path / "data")
    assert str(path) in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_post_without_an_owner_stays_and_is_counted(kind: str, tmp_path: Path) -> None:
    tables, imported = made(kind, [dump(kind, tmp_path, nobody=True)], tmp_path / "data")
    assert counts(imported)["answers of unknown authors"] == 1 and adds_up(imported)
    assert [row["author"] is None for row in tables["multi"]] == [True, False]


def corpus() -> pl.DataFrame:
    """Forty questions of two groups with one to three answers each, of a dozen authors and some unknown ones."""
    rows = []
    for group, questions in (("optics", 25), ("poetry", 15)):
        for asked in range(questions):
            title = f"Is {asked} < {asked + 1} & so on in {group}?"
            said = title if asked % 2 else f"{title}\n\nI *saw* 'it'.\n\nTwice."
            for place in range(1 + asked % 3):
                author = None if (asked + place) % 7 == 0 else f"{group}{(asked * 5 + place) % 12}"
                text = f'Number {place} says "{asked}" > 1.\n\nAs ever in {group}.'
                rows.append((f"{group}{asked}", said.replace("*", ""), f"{group}{asked}a{place}", text, author, group))
    return pl.DataFrame(
        rows, schema=["question_id", "question", "answer_id", "answer", "author", "group"], orient="row"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_corpus_written_as_a_dump_comes_back(kind: str, tmp_path: Path) -> None:
    answers, best = corpus(), frozenset(f"optics{number}a{number % 3}" for number in range(25))
    if kind == "stackexchange":
        paths = write_sites(answers, tmp_path / "dumps", best)
    elif kind == "reddit":
        paths = write_forum(answers, tmp_path / "all.ndjson", best)
    else:
        paths = [tmp_path / "t.csv"]
        answers.with_columns(accepted=pl.col("answer_id").is_in(list(best))).write_csv(paths[0])
    tables, imported = made(kind, paths, tmp_path / "data", askx=["*"])
    several = pl.len().over("question_id") > 1
    first = pl.col("answer_id").is_in(list(best)).sort_by(pl.int_range(pl.len()))
    chosen = answers.sort(first, descending=True, maintain_order=True).unique("question_id", keep="first")
    for split, expected in (("askx", answers), ("multi", answers.filter(several)), ("single", chosen)):
        found = pl.DataFrame(tables[split])
        texts = ["question", "answer", "group"]
        assert found.select(texts).sort(texts).equals(expected.select(texts).sort(texts)), split
        # an id for each question and each author, whatever it is called
        for names in (["question_id"], ["group", "author"]):
            together = [sorted(frame["answer"]) for _, frame in found.drop_nulls("author").group_by(names)]
            before = [sorted(frame["answer"]) for _, frame in expected.drop_nulls("author").group_by(names)]
            assert sorted(together) == sorted(before), (split, names)
        sizes = expected.group_by("group").agg(pl.len(), pl.col("question_id").n_unique()).rows()
        assert {(split, group): imported.sizes[split, group] for group, *_ in sizes} == {
            (split, group): (many, questions) for group, many, questions in sizes
        }
    assert adds_up(imported)
    assert counts(imported)["answers of unknown authors"] == answers["author"].null_count()
