"""Imports as a whole: memory, kills, faults on the way, and what is kept of them."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dump_files import answer, json_lines, made, question, site

from conftest import ROOT
from sociolect.common.artifacts import read_provenance
from sociolect.common.errors import InputError
from sociolect.corpus.cleaning import import_corpus
from sociolect.dumps import spill
from sociolect.dumps.importing import import_dump
from sociolect.dumps.options import ImportOptions
from sociolect.dumps.shown import print_import
from sociolect.dumps.sources import sources_of
from sociolect.settings.corpus import CorpusSettings

OPTIONS = ImportOptions(markup="html", askx=["*"], salt="s")
TOOL = ROOT / "workflow/tools/import_dump.py"


def forum(folder: Path, n: int, words: int = 5) -> Path:
    """A site of n questions with two answers each."""
    rows = [
        line
        for q in range(1, 3 * n, 3)
        for line in (
            question(q, f"Question {q}?"),
            answer(q + 1, q, f"<p>Answer {q + 1} {'and so on ' * words}</p>", OwnerUserId=q % 7),
            answer(q + 2, q, f"<p>Answer {q + 2} {'and so on ' * words}</p>", OwnerUserId=q % 5),
        )
    ]
    return site(folder, *rows)


def run(*flags: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *map(str, flags)], capture_output=True, text=True, timeout=120)


def test_memory_does_not_grow_with_the_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "BUCKET", 100_000)
    monkeypatch.setattr(spill, "HELD", 50_000)
    heights: list[int] = []
    whole = spill.Spill.buckets

    def seen(self: spill.Spill) -> Any:
        for bucket in whole(self):
            heights.extend(frame.height for frame in bucket)
            yield bucket

    monkeypatch.setattr(spill.Spill, "buckets", seen)
    found = []
    # the first is for what is imported and cached
    for number, n in enumerate((50, 300, 2400)):
        path = forum(tmp_path / str(number), n)
        heights.clear()
        tracemalloc.start()
        import_dump(sources_of("stackexchange", [path], {}, None), tmp_path / f"data{number}/import.json", OPTIONS, {})
        found.append((tracemalloc.get_traced_memory()[1], max(heights)))
        tracemalloc.stop()
    (small, few), (large, many) = found[1:]
    assert path.stat().st_size > 7 * (tmp_path / "1/optics.stackexchange.com/Posts.xml").stat().st_size
    # of a dump eight times as large; what other threads of a test run hold makes some of it
    assert large < 3 * small
    # chance puts more questions into one bucket than into another; the dump has 7200 posts
    assert many < 2 * few < 1200


def test_every_split_goes_through_the_import_of_a_run_with_the_same_counts(tmp_path: Path) -> None:
    _, imported = made("stackexchange", [forum(tmp_path, 20)], tmp_path / "data")
    written = {step.split: step.n for step in imported.steps if step.what == "written"}
    assert written == {"single": 20, "multi": 40, "askx": 40}
    for path in imported.tables:
        corpus, _, _ = import_corpus(path, path.stem, CorpusSettings(min_chars=0))
        assert corpus.height == written[path.stem]
        assert {**imported.sizes}[path.stem, "optics"] == (corpus.height, corpus["question_id"].n_unique())


def test_buckets_change_nothing_but_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = forum(tmp_path, 40)
    one, _ = made("stackexchange", [path], tmp_path / "one")
    monkeypatch.setattr(spill, "BUCKET", 999)
    many, _ = made("stackexchange", [path], tmp_path / "many")
    assert one == many and spill.buckets_for(path.stat().st_size) > 5


def test_a_killed_import_leaves_no_table_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    path, out = forum(tmp_path, 4000), tmp_path / "data"
    with subprocess.Popen([sys.executable, str(TOOL), "stackexchange", str(path), "--out", str(out)]) as process:
        while not (out / ".import.part/posts").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert [entry.name for entry in out.iterdir()] == [".import.part"]
    assert made("stackexchange", [forum(tmp_path, 2)], out)[1].tables
    assert not (out / ".import.part").exists()


def test_tables_that_are_there_stay_unless_they_are_to_be_replaced_by_whole_ones(tmp_path: Path) -> None:
    path, out = forum(tmp_path, 3), tmp_path / "data"
    made("stackexchange", [path], out)
    before = {entry.name: entry.read_bytes() for entry in out.iterdir()}
    with pytest.raises(InputError, match=r"single\.parquet: there already; .* add --replace"):
        made("stackexchange", [path], out)
    packed = path.with_name("Posts.xml.gz")
    packed.write_bytes(gzip.compress(path.read_bytes())[:-30])
    with pytest.raises(InputError, match="cut off or damaged"):
        made("stackexchange", [packed], out, replace=True)
    assert {entry.name: entry.read_bytes() for entry in out.iterdir()} == before
    # a split that this dump does not have any more goes, a table that no import wrote stays
    (out / "other.parquet").write_bytes(b"mine")
    made("stackexchange", [path], out, replace=True, askx=[])
    assert sorted(entry.name for entry in out.iterdir()) == [
        "import_stackexchange.json",
        "multi.parquet",
        "other.parquet",
        "single.parquet",
    ]


def put_once(folder: Path) -> Path:
    """A question in r/Physics, with its answers."""
    shared = {"subreddit": "Physics", "link_id": "t3_q", "parent_id": "t3_q"}
    asked = {"id": "q", "title": "Why?", "subreddit": "Physics"}
    said = [{"id": name, "body": f"Since {name}.", "author": name, **shared} for name in ("a", "b")]
    return json_lines(folder / "all.ndjson", asked, *said)


def test_a_table_of_another_kind_of_dump_goes_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "data"
    made("stackexchange", [forum(tmp_path, 3)], out)
    # of a name like a record's, but none
    (out / "import_notes.json").write_text('{"tables": 3}')
    _, imported = made("reddit", [put_once(tmp_path)], out, replace=True, askx=[])
    assert imported.gone == [out / "askx.parquet"]
    assert sorted(path.name for path in out.iterdir()) == [
        "import_notes.json",
        "import_reddit.json",
        "multi.parquet",
        "single.parquet",
    ]
    assert json.loads((out / "import_reddit.json").read_text())["tables"] == ["multi.parquet", "single.parquet"]
    assert set(pl.read_parquet(out / "single.parquet")["group"]) == {"physics"}
    print_import(imported, out / "import_reddit.json")
    assert f"removed {out}/askx.parquet: of the import before" in capsys.readouterr().out


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("kind", ["stackexchange", "reddit"])
def test_tables_of_another_import_are_never_left_beside_new_ones(kind: str, replace: bool, tmp_path: Path) -> None:
    out = tmp_path / "data"
    made("stackexchange", [forum(tmp_path, 3)], out, splits=["single", "multi"])
    before = {entry.name: entry.read_bytes() for entry in out.iterdir()}
    path = put_once(tmp_path) if kind == "reddit" else forum(tmp_path, 4)
    with pytest.raises(InputError) as caught:
        made(kind, [path], out, replace=replace, splits=["askx"], askx=["*"])
    said = f"{out}/single.parquet, {out}/multi.parquet: of another import, "
    assert str(caught.value).startswith(said) and "--splits single,multi,askx" in str(caught.value)
    assert {entry.name: entry.read_bytes() for entry in out.iterdir()} == before


def test_tables_of_ones_own_stay_beside_imported_ones(tmp_path: Path) -> None:
    out = tmp_path / "data"
    out.mkdir()
    pl.DataFrame({"group": ["mine"]}).write_parquet(out / "single.parquet")
    (out / "multi.parquet").write_bytes(b"mine")
    before = {entry.name: entry.read_bytes() for entry in out.iterdir()}
    _, imported = made("reddit", [put_once(tmp_path)], out, replace=True, splits=["askx"], askx=["*"])
    assert imported.tables == [out / "askx.parquet"] and imported.gone == []
    assert {name: (out / name).read_bytes() for name in before} == before


def test_two_imports_into_one_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    lock = os.open(tmp_path / "data", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(InputError, match="another import writes here"):
        made("stackexchange", [forum(tmp_path, 2)], tmp_path / "data")
    os.close(lock)


def test_the_program_prints_and_keeps_its_funnel_and_never_a_name(tmp_path: Path) -> None:
    rows = [question(1), answer(2, 1, "<p>Ask @jane or jane@x.org</p>", OwnerDisplayName="Jane Roe")]
    path, out = site(tmp_path, *rows), tmp_path / "data"
    done = run("stackexchange", path.parent, "--out", out, "--salt", "pepper")
    assert done.returncode == 0, done.stderr
    kept = json.loads((out / "import_stackexchange.json").read_text())
    assert [step["left"] for step in kept["funnel"] if step["what"] == "written"] == [1, 0, 1]
    assert kept["masked"] == {"email": 1, "phone": 0, "user": 1}
    assert "1 | single.parquet" not in done.stdout and "answers of unknown authors" in done.stdout
    tables = {name: (out / f"{name}.parquet").read_bytes() for name in ("single", "askx")}
    for text in (done.stdout, (out / "import_stackexchange.json").read_text(), *map(str, tables.values())):
        assert "Jane" not in text and "jane" not in text and "pepper" not in text
    assert read_provenance(out / "single.parquet")["program"] == "import_dump"
    again = run("stackexchange", path, "--out", tmp_path / "again", "--salt", "pepper")
    assert again.returncode == 0
    first, second = (pl.read_parquet(folder / "single.parquet") for folder in (out, tmp_path / "again"))
    assert first.equals(second) and first["author"][0].startswith("u_")
    random = run("stackexchange", path, "--out", tmp_path / "random")
    assert pl.read_parquet(tmp_path / "random/single.parquet")["author"][0] != first["author"][0]
    assert "a random salt that is not kept" in random.stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--splits", "single,double"], "--splits: there is no 'double'; write some of single, multi, askx"),
        (["--mask", "names"], "--mask: there is no 'names'"),
        (["--keep", "links"], "--keep: there is no 'links'"),
        (["--rename", "optics"], "--rename optics: write group=name"),
        (["--by", "tags"], "--by tags: only for stackexchange, with the tags"),
        (["--map", "reply=x"], "there is no field 'reply'"),
    ],
)
def test_odd_flags_are_one_line(flags: list[str], said: str, tmp_path: Path) -> None:
    done = run("stackexchange", forum(tmp_path, 2), "--out", tmp_path / "data", *flags)
    assert done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    done = run("stackexchange", forum(tmp_path, 2), "--out", tmp_path / "data")
    assert done.returncode == 1 and done.stderr.startswith(f"error: {tmp_path}/data: no folder to write into")
