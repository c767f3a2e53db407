"""A project in a folder whose name a shell would run: it works, or one line refuses it; nothing of the name is run."""

from __future__ import annotations

import subprocess
from pathlib import Path

from conftest import make, snakemake

ODD = """a $HOME $(touch ran) `touch ran` "b" it's \\n"""


def test_a_folder_whose_name_a_shell_would_run(project: Path) -> None:
    odd = project.rename(project.with_name(ODD))
    refused = subprocess.run(["make", "setup"], cwd=odd, capture_output=True, text=True)
    assert refused.returncode != 0 and not (odd / ".venv").exists()
    [line] = refused.stderr.splitlines()
    assert 'the path of this folder has $ ` " \\' in line and "rename the folder" in line
    # with an environment from elsewhere
    done = make(odd, "run", "TARGET=results/demo/corpus/single.parquet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (odd / "results/demo/corpus/single.parquet").is_file()
    assert not list(project.parent.rglob("ran"))


def test_braces_in_the_folders_name_are_refused_in_one_line(project: Path) -> None:
    odd = project.rename(project.with_name("a {b}"))
    done = snakemake(odd, "--dry-run", check=False)
    assert done.returncode != 0
    assert "has the character '{', which Snakemake takes for a wildcard; rename the folder" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    refused = subprocess.run(["make", "setup"], cwd=odd, capture_output=True, text=True)
    assert refused.returncode != 0 and "the path of this folder has { }" in refused.stderr


def test_a_table_and_a_config_whose_names_a_shell_would_run(project: Path) -> None:
    table, config = project / f"{ODD}.csv", project / f"{ODD}.yaml"
    table.write_text("question_id,question,answer_id,answer,author,group\nq,Q,a1,fine enough to be kept,,g\n")
    path = "'" + table.name.replace("'", "''") + "'"
    experiments = "{main: {fit: [single], ask: single}}"
    config.write_text(f"run: odd\nexperiments: {experiments}\ncorpus: {{paths: {{single: {path}}}}}\n")
    done = make(project, "run", f"CONFIG={config.name}", "TARGET=results/odd/corpus/single.parquet")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(project.parent.rglob("ran"))
