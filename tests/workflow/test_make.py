"""The targets of the Makefile, as a user calls them: any config that YAML allows, any name that its file may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import make

CONFIG = """{run}
experiments: {{main: {{fit: [single], ask: askx}}}}
corpus: {{source: demo}}
"""


@pytest.mark.parametrize("line", ["run: mine  # the first try", 'run: "mine"', "run:\n  mine"])
def test_a_run_is_named_as_yaml_names_it(project: Path, line: str) -> None:
    (project / "mine.yaml").write_text(CONFIG.format(run=line))
    done = make(project, "report", "CONFIG=mine.yaml", "ARGS=--dry-run")
    assert done.returncode == 0, done.stderr
    assert "write_report" in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "results/mine/report.html"


def test_graphs_go_to_the_runs_folder_whatever_the_configs_name(project: Path) -> None:
    name = """it's $HOME `touch ran` "a" {b}.yaml"""
    (project / name).write_text(CONFIG.format(run="run: 'mine'  # the first try"))
    done = make(project, "dag", "TARGET=make_demo_corpus", f"CONFIG={name}")
    assert done.returncode == 0, done.stderr
    assert "make_demo_corpus" in (project / "results/mine/dag/rulegraph.mmd").read_text()
    assert not (project / "ran").exists()


def test_status_of_a_run_that_has_not_begun(project: Path) -> None:
    (project / "mine.yaml").write_text(CONFIG.format(run="run: mine"))
    done = make(project, "status", "CONFIG=mine.yaml")
    assert (done.returncode, done.stdout.strip()) == (0, "nothing is running"), done.stderr


def test_a_config_without_a_run_is_one_line(project: Path) -> None:
    (project / "mine.yaml").write_text("seed: 1\n")
    done = make(project, "dag", "CONFIG=mine.yaml")
    assert done.returncode != 0
    assert "mine.yaml" in done.stderr and "run" in done.stderr and "Traceback" not in done.stderr
