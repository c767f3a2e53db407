"""Which runs there are, what is read of each, and the tool that has them run one after the other."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import run_seeds
import yaml
from seeded import seed_run, write_run

from sociolect.common.artifacts import read_table
from sociolect.common.errors import InputError, exit_plainly
from sociolect.common.schemas import BY_JUDGE, CONTRASTS
from sociolect.settings.config import Config, load_config
from sociolect.study.seed_runs import read_run, runs_of

VALUES: dict[str, Any] = {
    "run": "r", "seed": 1, "experiments": {"main": {"fit": ["single"], "ask": "askx"}}, "corpus": {"source": "demo"},
    "study": {"run_seeds": 2}, "evaluation": {"resamples": 200},
}  # fmt: skip


def config(**more: Any) -> Config:
    return load_config({**VALUES, **more}, "here")


def test_the_config_s_own_run_is_the_first() -> None:
    runs = runs_of(config(seed=7, study={"run_seeds": 3}))
    assert list(runs.items()) == [("r", 7), ("r-seed8", 8), ("r-seed9", 9)]
    assert runs_of(config(study={"run_seeds": 1})) == {"r": 1}
    # the name of a run is one that a config may have
    assert config(run="r-seed9").run == "r-seed9"


def test_what_a_run_left_is_read(tmp_path: Path) -> None:
    made = seed_run(2)
    write_run(made, tmp_path)
    found = read_run(tmp_path, "main", 2, config())
    assert found.scores.equals(made.scores) and found.judged.equals(made.judged)
    assert found.by_judge.equals(made.by_judge) and found.seed == 2
    assert (found.choice, found.weights, found.attributes) == (made.choice, made.weights, made.attributes)
    # what everybody does was not planted
    assert {group: sorted(names) for group, names in found.planted.items()} == {
        "a": ["colons", "dots"],
        "b": ["dashes"],
    }
    # of real texts nothing is known
    assert read_run(tmp_path, "main", 2, config(corpus={"source": "files"})).planted == {}


def test_conditions_of_some_groups_are_left_out_and_a_missing_table_is_named(tmp_path: Path) -> None:
    made = seed_run(1)
    some = made.scores.filter((pl.col("condition") != "steered (random)") | (pl.col("target") == "a"))
    write_run(type(made)(**{**vars(made), "scores": some}), tmp_path)
    found = read_run(tmp_path, "main", 1, config()).scores
    assert set(found["condition"]) == {"question", "steered"} and found.height == 12
    (tmp_path / "comparison/main.judges.parquet").unlink()
    with pytest.raises(InputError, match=r"main\.judges\.parquet: no such file"):
        read_run(tmp_path, "main", 1, config())


# writes down how it was called; fails for the run that the file `broken` names; else the run is there
SNAKEMAKE = """
import json, pathlib, shutil, sys
with open("calls", "a") as stream:
    print(json.dumps(sys.argv[1:]), file=stream)
run = next(a for a in sys.argv if a.startswith("run=")).removeprefix("run=")
broken = pathlib.Path("broken")
if broken.exists() and broken.read_text() == run:
    sys.exit("a rule failed")
shutil.copytree(f"made/{run}", f"results/{run}", dirs_exist_ok=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place to run the tool in, with what the two runs would leave behind."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "snakemake.py").write_text(SNAKEMAKE)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(VALUES))
    for name, seed in (("r", 1), ("r-seed2", 2)):
        write_run(seed_run(seed), tmp_path / "made" / name)
    command = [sys.executable, "snakemake.py", "--profile", "profiles/local", "--cores", "2"]
    monkeypatch.setattr(sys, "argv", ["run_seeds", "--configfile", "c.yaml", "--", *command])
    return tmp_path


def calls(folder: Path) -> list[list[str]]:
    """How the command was called, without what every call has."""
    found = [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
    head = ["--profile", "profiles/local", "--cores", "2", "--configfile", "c.yaml", "--config"]
    assert [call[: len(head)] for call in found] == [head] * len(found)
    return [call[len(head) :] for call in found]


FIRST, SECOND = ["run=r", "seed=1", "--", "table"], ["run=r-seed2", "seed=2", "--", "table"]


def test_the_tool_runs_each_seed_once_and_pools_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_seeds.main()
    assert calls(folder) == [FIRST, SECOND]
    place = Path("results/r/study/steering")
    assert capsys.readouterr().out.splitlines()[-1] == str(place / "main.md")
    assert "2 runs of the whole chain" in (place / "main.md").read_text()
    table = read_table(place / "main.parquet", BY_JUDGE)
    row = table.filter(judge="sfam", condition="steered", targets="own").row(0, named=True)
    assert (row["n"], row["gain"]) == (8, 5 / 8)
    before = read_table(place / "main.contrasts.parquet", CONTRASTS)
    run_seeds.main()
    assert read_table(place / "main.contrasts.parquet", CONTRASTS).equals(before)
    # nothing stands beside the other run
    assert not Path("results/r-seed2/study").exists()


def test_a_run_that_fails_ends_it_with_a_message_and_the_same_command_goes_on(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken").write_text("r-seed2")
    with pytest.raises(SystemExit) as ended:
        exit_plainly(run_seeds.main)
    said = capfd.readouterr().err.splitlines()
    assert ended.value.code == 1 and said[-2] == "a rule failed"
    assert said[-1].startswith("error: run r-seed2, seed 2 failed") and "the same command goes on" in said[-1]
    assert not Path("results/r/study").exists()
    (folder / "broken").unlink()
    run_seeds.main()
    # what is done already is for Snakemake to see
    assert calls(folder) == [FIRST, SECOND, FIRST, SECOND]
    assert Path("results/r/study/steering/main.md").is_file()


def test_a_first_run_that_fails_is_the_last(folder: Path) -> None:
    (folder / "broken").write_text("r")
    with pytest.raises(InputError, match="run r, seed 1 failed"):
        run_seeds.main()
    assert calls(folder) == [FIRST]
