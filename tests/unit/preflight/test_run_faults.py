"""All faults of a run in one list: of its config, and of what the config names."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from sociolect.preflight.run_faults import run_faults
from sociolect.settings.corpus import IMPORT_KEYS, CorpusSettings

HEADER = "question_id,question,answer_id,answer,group\n"
FEW = {"minimum": {"single": 4, "multi": 4, "askx": 4}, "min_part": 1}
# twelve kinds: key, unknown key, combination, choice, bound, type, table, columns, row, prompt file, model
TWELVE = """run: mine
sede: 1
experiments:
  main: {fit: [single, multi], ask: askx}
corpus:
  paths: {single: none.csv, multi: columns.csv, askx: row.jsonl}
  min_chars: 900
  max_chars: 20
sampling: {parts: {train: 0.7, val: 0.7, test: 0.15}}
labeling: {scorer: measure}
generation: {prompt_file: prompts.yaml, temperature: -1, shards: many}
models: {lm: {folder: model}, sfam: {folder: nothing}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    (tmp_path / "columns.csv").write_text("question_id,question,answer_id,text,group\n")
    (tmp_path / "row.jsonl").write_text('{"question_id": "q", "question": "Q?", "answer_id": {}, "answer": "A"}\n')
    (tmp_path / "prompts.yaml").write_text('group_instructions: "You write like {group}."\n')
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{")
    (tmp_path / "c.yaml").write_text(TWELVE)
    return tmp_path


def faults_of(folder: Path, **sections: object) -> list[str]:
    """Lines without the file's name, of a config with these sections beside what it needs."""
    values = {"run": "mine", "experiments": {"main": {"fit": ["single"], "ask": "single"}}, **sections}
    (folder / "d.yaml").write_text(yaml.safe_dump(values))
    _, lines = run_faults(values, "d.yaml", [Path("d.yaml")], folder)
    return [line.removeprefix("d.yaml: ") for line in lines]


def rows_of(number: int) -> list[str]:
    """As many answers of two groups each."""
    return [
        f"{g}{i},Q {g}{i}?,{g}{i},An answer long enough {i}.,{g}\n" for g in ("north", "south") for i in range(number)
    ]


def test_twelve_faults_of_different_kinds_are_all_named_within_ten_seconds(here: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    tool = ROOT / "workflow/tools/check_run.py"
    done = subprocess.run([sys.executable, tool, "--configfile", "c.yaml"], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # of the processor: other tests run beside it
    assert done.returncode == 1 and after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10
    first, *lines = done.stdout.splitlines()
    assert first == "checking c.yaml ..."
    keys = [line.partition(", key '")[2].partition("'")[0] for line in lines]
    assert keys == [
        "sede",
        "corpus.paths.single",
        "corpus.paths.multi",
        "corpus.paths.askx",
        "corpus.min_chars",
        "sampling.parts",
        "labeling.scorer",
        "generation.temperature",
        "generation.shards",
        "generation.prompt_file",
        "models.sfam",
        # config.json is cut off, there are no weights, and no tokenizer
        *["models.lm"] * 3,
    ]
    assert done.stderr == "error: 14 faults in c.yaml; mend them, then check again\n"
    said = done.stdout
    for piece in (
        "c.yaml: line 6, key 'corpus.paths.single': none.csv: no such file; put the table of the split single there",
        "columns.csv: missing column answer; the file has question_id, question, answer_id, text, group",
        "row.jsonl: line 1, key 'answer_id': the value is an object; write it as text",
        "prompts.yaml: line 1, key 'group_instructions': there is no such key; write 'group_instruction'",
        "model/config.json is not whole JSON",
    ):
        assert piece in said, said
    assert "Traceback" not in said and "valid tuple" not in said


def test_nothing_heavy_is_loaded_before_the_first_line(here: Path) -> None:
    watched = (
        "import builtins, runpy, sys\n"
        "real = builtins.print\n"
        "def told(*args, **kwargs):\n"
        "    real('loaded', *sorted({'polars', 'torch', 'transformers', 'pydantic', 'numpy'} & set(sys.modules)))\n"
        "    builtins.print = real\n"
        "    real(*args, **kwargs)\n"
        "builtins.print = told\n"
        "sys.argv = ['check_run.py', '--configfile', 'c.yaml']\n"
        f"sys.path.insert(0, {str(ROOT / 'workflow/tools')!r})\n"
        f"runpy.run_path({str(ROOT / 'workflow/tools/check_run.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", watched], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[:2] == ["loaded", "checking c.yaml ..."]


def test_a_good_run_has_no_faults_and_its_config(here: Path) -> None:
    values = yaml.safe_load((ROOT / "config/demo.yaml").read_text())
    config, lines = run_faults(values, "demo", [], ROOT)
    assert config is not None and config.run == "demo" and lines == []
    _, lines = run_faults({**values, "sede": 1}, "demo", [], ROOT)
    assert lines == ["demo: key 'sede': there is no such key; write 'seed'"]


def test_tables_that_nobody_asked_to_read_are_read_where_something_else_is_wrong(here: Path) -> None:
    values = {"run": "mine", "experiments": {"main": {"fit": ["single"], "ask": "single"}}}
    values |= {"corpus": {"paths": {"single": "columns.csv"}}}
    assert run_faults(values, "d", [], here, tables=())[1] == []
    _, lines = run_faults({**values, "sede": 1}, "d", [], here, tables=())
    assert len(lines) == 2 and "columns.csv: missing column answer" in "\n".join(lines)


def test_of_a_key_at_fault_its_default_is_not_looked_for(here: Path) -> None:
    # the default paths do not exist here, and nobody wrote them
    assert faults_of(here, corpus={"paths": 3}) == ["line 2, key 'corpus.paths': 3: write keys below it"]


def test_groups_that_no_table_has_are_named_with_their_line(here: Path) -> None:
    rows = rows_of(4)
    (here / "single.csv").write_text(HEADER + "".join(rows))
    (here / "askx.csv").write_text(HEADER + "".join(rows).replace("north", "east").replace("south", "west"))
    lines = faults_of(
        here,
        experiments={"main": {"fit": ["single"], "ask": "askx"}},
        corpus={"paths": {"single": "single.csv", "askx": "askx.csv"}},
        sampling=FEW,
        group_parents={"nroth": "compass"},
    )
    assert [line.partition(": ")[2].partition(";")[0] for line in lines] == [
        "an experiment needs two groups that are in its fit and its ask splits, but has 0",
        "no table has such a group",
    ]
    assert "write 'north'; the groups are east, north, south, west" in lines[1]
    assert "key 'group_parents.nroth'" in lines[1] and "key 'experiments.main'" in lines[0]
    (line,) = faults_of(here, corpus={"paths": {"single": "single.csv"}}, sampling=FEW | {"minimum": {"single": 5}})
    assert "key 'sampling.minimum.single': 5: fewer than two groups reach it (north 4, south 4); lower it" in line


def test_of_a_large_table_the_first_rows_are_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"q{i},Q {i}?,a{i},An answer long enough {i}.,g{i % 2}\n" for i in range(6)]
    (here / "t.csv").write_text(HEADER + "".join(rows[:4]) + "q4,Q\n" + rows[5])
    monkeypatch.setattr("sociolect.preflight.table_faults.WHOLE_BYTES", 10)
    monkeypatch.setattr("sociolect.preflight.table_faults.ROWS", 4)
    assert faults_of(here, corpus={"paths": {"single": "t.csv"}}) == []
    monkeypatch.setattr("sociolect.preflight.table_faults.ROWS", 5)
    assert "row 5 (line 6) has 2 fields" in faults_of(here, corpus={"paths": {"single": "t.csv"}})[0]


def test_a_table_is_looked_at_whatever_was_imported_before(here: Path) -> None:
    (here / "t.csv").write_text(HEADER + "".join(rows_of(4)))
    (here / "results/mine/corpus").mkdir(parents=True)
    (here / "results/mine/corpus/single.parquet").touch()
    # older than what was imported, as a file is that was moved here
    os.utime(here / "columns.csv", (0, 0))
    paths = {table: {"paths": {"single": table}} for table in ("t.csv", "typo.csv", "columns.csv")}
    assert faults_of(here, corpus=paths["t.csv"], sampling=FEW) == []
    (line,) = faults_of(here, corpus=paths["typo.csv"], sampling=FEW)
    assert "key 'corpus.paths.single': typo.csv: no such file; put the table of the split single there" in line
    (line,) = faults_of(here, corpus=paths["columns.csv"], sampling=FEW)
    assert "columns.csv: missing column answer" in line


def test_only_what_was_imported_of_this_table_by_these_keys_does_without_it(here: Path) -> None:
    (here / "t.csv").write_text(HEADER + "".join(rows_of(4)))
    folder, keys = here / "results/mine/corpus", CorpusSettings().model_dump(mode="json", include=IMPORT_KEYS)
    files = ["--table", "t.csv", "--corpus", folder / "single.parquet", "--funnel", folder / "single.funnel.parquet"]
    flags = [*files, "--split", "single", "--settings", json.dumps(keys)]
    program = ROOT / "workflow/scripts/import_corpus.py"
    subprocess.run([sys.executable, program, *map(str, flags)], check=True, capture_output=True)
    (here / "t.csv").rename(here / "moved.csv")
    paths = {"paths": {"single": "t.csv"}}
    assert faults_of(here, corpus=paths, sampling=FEW) == []
    for other in ({**paths, "min_chars": 21}, {"paths": {"single": "typo.csv"}}):
        (line,) = faults_of(here, corpus=other, sampling=FEW)
        assert "no such file; put the table of the split single there" in line


def test_ids_of_tables_that_number_their_rows_each_are_told_with_what_to_write(here: Path) -> None:
    for split in ("single", "multi"):
        rows = [f"{i},{split} {i}?,{i},An answer long enough {split} {i}.,g{i % 2}\n" for i in range(1, 9)]
        (here / f"{split}.csv").write_text(HEADER + "".join(rows))
    paths = {"single": "single.csv", "multi": "multi.csv"}
    answers, questions = faults_of(here, corpus={"paths": paths}, sampling=FEW)
    assert answers == (
        "line 2, key 'corpus.paths': answer_id '1' has answer 'An answer long enough multi 1.' in split multi and "
        "answer 'An answer long enough single 1.' in split single (8 such ids); give each answer its own answer_id "
        "(ids count over all splits: where each table numbers its own, write 'multi-1' and 'single-1')"
    )
    assert "question_id '1' has question 'multi 1?' in split multi and question 'single 1?' in split sin" in questions
    # the same answers in two splits are what an import writes
    (here / "multi.csv").write_text((here / "single.csv").read_text())
    assert faults_of(here, corpus={"paths": paths}, sampling=FEW) == []


def test_a_sentence_model_that_is_none_is_told_before_anything_runs(here: Path) -> None:
    (here / "t.csv").write_text(HEADER + "".join(rows_of(4)))
    section = {"corpus": {"paths": {"single": "t.csv"}}, "sampling": FEW}
    (line,) = faults_of(here, **section, evaluation={"sentence_model": "nowhere/model"})
    assert "key 'evaluation.sentence_model': nowhere/model: no such folder; give one with config.json" in line
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (here / "model" / name).write_text("{}")
    assert faults_of(here, **section, evaluation={"sentence_model": "model"}) == []


def test_a_default_that_does_not_fit_hides_no_table(here: Path) -> None:
    lines = faults_of(
        here,
        corpus={"paths": {"single": "nowhere.csv"}},
        labeling={"scorer": "cross_encoder"},
        scratch={"sfam": {"max_positions": 256}},
    )
    assert sorted(line.partition("key '")[2].partition("'")[0] for line in lines) == [
        *("corpus.paths.single", "labeling.max_tokens", "sfam.max_tokens"),
    ]


def test_no_room_and_no_permission_are_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "t.csv").write_text(HEADER + "".join(f"q{i},Q {i}?,a{i},Answer {i}.,g{i % 2}\n" for i in range(9)))
    section = {"corpus": {"paths": {"single": "t.csv"}, "min_chars": 0}, "sampling": FEW}
    assert faults_of(here, **section) == []
    monkeypatch.setattr("sociolect.preflight.file_faults.LEAST_GB", 1e9)
    assert "GB free on its disk, a run needs 1e+09 at least; make room" in faults_of(here, **section)[0]
    (here / "results").write_text("")
    assert faults_of(here, **section) == ["results: this is a file; results go into a folder of this name: move it"]


def test_packages_that_are_pinned_and_missing_are_named(here: Path) -> None:
    (here / "envs").mkdir()
    (here / "envs/core.txt").write_text("polars==1.0\nno-such-package==1.0  # why\nother==2 ; python_version < '3'\n")
    (here / "t.csv").write_text(HEADER + "".join(rows_of(4)))
    section = {"corpus": {"paths": {"single": "t.csv"}}, "sampling": FEW}
    assert faults_of(here, **section, sweep={"backend": "vllm"})[1:] == [
        "line 17, key 'sweep.backend': it is vllm, and there is no .venv-vllm: make setup-vllm"
    ]
    assert faults_of(here, **section) == [
        f"not installed: no-such-package ({here / 'envs/core.txt'}); run `make setup`"
    ]
