"""import_corpus and sample_groups as a user runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl

from conftest import ROOT
from sociolect.common.artifacts import read_provenance, read_table
from sociolect.common.schemas import CORPUS, CORPUS_FUNNEL, LEFT_OUT, SAMPLES, SAMPLING_FUNNEL

SCRIPTS = ROOT / "workflow" / "scripts"


def run(program: str, *flags: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / f"{program}.py"), *map(str, flags)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    return result.stderr.strip().splitlines()[-1]


def write_table(path: Path, n: int = 30) -> Path:
    rows = [
        (f"{g}{i}", f"Question {i} of {g}?", f"{g}{i}-a", f"A long enough answer {i} of {g}.", g)
        for g in ("chemists", "poets")
        for i in range(n)
    ]
    pl.DataFrame(rows, schema=["question_id", "question", "answer_id", "answer", "group"], orient="row").write_csv(path)
    return path


def import_table(folder: Path, table: Path, split: str) -> subprocess.CompletedProcess[str]:
    return run(
        "import_corpus",
        "--table",
        table,
        "--corpus",
        folder / f"{split}.parquet",
        "--funnel",
        folder / f"{split}.funnel.parquet",
        "--split",
        split,
        "--settings",
        '{"source": "files"}',
    )


def sample(folder: Path, splits: str, settings: dict[str, object], *corpora: Path) -> subprocess.CompletedProcess[str]:
    return run(
        "sample_groups",
        "--corpus",
        *corpora,
        "--splits",
        splits,
        "--samples-dir",
        folder,
        "--funnel",
        folder / "funnel.parquet",
        "--settings",
        json.dumps(settings),
        "--seed",
        1,
    )


def test_from_a_table_to_samples_twice_the_same(tmp_path: Path) -> None:
    for split in ("single", "askx"):
        result = import_table(tmp_path / "corpus", write_table(tmp_path / "t.csv"), split)
        assert result.returncode == 0, result.stderr
    corpora = [tmp_path / "corpus" / f"{split}.parquet" for split in ("single", "askx")]
    assert read_table(corpora[0], CORPUS).height == 60
    funnel = read_table(tmp_path / "corpus" / "single.funnel.parquet", CORPUS_FUNNEL)
    assert funnel["n_removed"].sum() == 0 and funnel["split"].unique().to_list() == ["single"]
    settings: dict[str, object] = {"minimum": {"single": 20, "askx": 20}}
    for folder in ("one", "two"):
        result = sample(tmp_path / folder, "single,askx", settings, *corpora)
        assert result.returncode == 0, result.stderr
    for split in ("single", "askx"):
        path = tmp_path / "one" / f"{split}.parquet"
        assert read_table(path, SAMPLES).height == 40
        assert path.read_bytes() == (tmp_path / "two" / f"{split}.parquet").read_bytes()
        assert read_provenance(path)["program"] == "sample_groups"
    assert read_table(tmp_path / "one" / "funnel.parquet", SAMPLING_FUNNEL).height


def test_a_fault_ends_in_one_line_and_writes_nothing(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(write_table(table).read_bytes() + b"x,Question?,x-a,caf\xe9,poets\n")
    result = import_table(tmp_path / "corpus", table, "single")
    assert result.returncode == 1
    assert last_line(result).startswith(f"error: {table}: line 62: byte 0xe9") and "Traceback" not in result.stderr
    assert not list(tmp_path.glob("corpus/*.parquet"))


def test_too_few_groups_and_wrong_splits_are_named(tmp_path: Path) -> None:
    import_table(tmp_path, write_table(tmp_path / "t.csv"), "single")
    corpus = tmp_path / "single.parquet"
    result = sample(tmp_path / "s", "single", {"minimum": {"single": 31}}, corpus)
    assert result.returncode == 1
    assert "Answers per group: chemists 30, poets 30. The minimum is 31" in last_line(result)
    result = sample(tmp_path / "s", "single,multi", {}, corpus)
    assert "error: --splits single,multi and 1 --corpus files: name each file's split once" in last_line(result)
    assert not (tmp_path / "s").exists()


def test_groups_are_held_against_the_experiments_before_anything_costs_hours(tmp_path: Path) -> None:
    corpora = {}
    for split in ("single", "askx"):
        assert import_table(tmp_path / "corpus", write_table(tmp_path / "t.csv"), split).returncode == 0
        corpora[split] = tmp_path / "corpus" / f"{split}.parquet"
    assert (
        sample(tmp_path / "s", "single,askx", {"minimum": {"single": 20, "askx": 20}}, *corpora.values()).returncode
        == 0
    )

    def check(**settings: object) -> subprocess.CompletedProcess[str]:
        return run(
            "check_groups",
            *("--corpus", *corpora.values()),
            *("--funnels", *(path.with_suffix(".funnel.parquet") for path in corpora.values())),
            *("--samples", *(tmp_path / "s" / f"{split}.parquet" for split in corpora)),
            *("--sampling", tmp_path / "s" / "funnel.parquet", "--splits", "single,askx"),
            *("--left-out", tmp_path / "left_out.parquet"),
            *("--settings", json.dumps({"experiments": {"main": {"fit": ["single"], "ask": "askx"}}, **settings})),
        )

    refused = check(group_parents={"poet": "arts"})
    assert refused.returncode == 1
    assert "group_parents.poet: no table has such a group; write 'poets'; the groups are chemists, poets" in (
        refused.stderr
    )
    assert not (tmp_path / "left_out.parquet").exists()
    assert check(group_parents={"poets": "arts"}).returncode == 0
    left_out = read_table(tmp_path / "left_out.parquet", LEFT_OUT)
    assert set(left_out["place"]) <= {"split single", "split askx"}
