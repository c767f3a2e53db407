"""Tagging is in the workflow only where the config turns it on, and what is missing for it is said at once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from conftest import skip_here, snakemake
from sociolect.settings.syntax import is_installed

ON = ["--config", "syntax={tagger: en_core_web_sm}"]
# what reads tagged answers of the demo
READERS = {"describe_style", "measure_accuracy", "train_scratch_lm"}


def jobs_of(output: str) -> dict[str, int]:
    """Rule -> number of jobs, as the table of a dry run has them."""
    return {name: int(n) for name, n in re.findall(r"^([a-z_]+) +(\d+)$", output, re.MULTILINE)}


def without_spacy(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Snakemake on a machine where spaCy is not installed."""
    blocked = "import sys; sys.modules['spacy'] = None; from snakemake.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", blocked, "--cores", "1", "--dry-run", *args]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_without_spacy_the_demo_parses_and_a_tagger_is_refused_in_one_line(project: Path) -> None:
    done = without_spacy(project)
    assert done.returncode == 0 and "tag_answers" not in done.stdout + done.stderr
    done = without_spacy(project, *ON)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "setup-syntax" in line]
    assert done.returncode and lines == [
        "config/demo.yaml: key 'syntax.tagger': en_core_web_sm, and spaCy is not installed: run `make setup-syntax`"
    ]


def test_answers_are_tagged_once_for_all_that_read_them(project: Path) -> None:
    if not is_installed("en_core_web_sm"):
        skip_here("spaCy is not installed: make setup-syntax")
    plain, tagged = (jobs_of(snakemake(project, "--dry-run", *args).stdout) for args in ([], ON))
    # the three splits of the demo; nothing reads tagged generations
    assert tagged.pop("tag_answers") == 3
    assert plain.pop("total") + 3 == tagged.pop("total")
    assert plain == tagged
    text = snakemake(project, "--dry-run", *ON).stdout
    for rule in READERS:
        block = text.partition(f"rule {rule}:")[2].partition("output:")[0]
        assert "syntax/single.parquet" in block, rule
    # the three of before, which the model from scratch learns from
    target = "results/demo/syntax/generations-main.parquet"
    assert jobs_of(snakemake(project, "--dry-run", *ON, "--", target).stdout)["tag_answers"] == 4
