"""CONTRIBUTING.md's recipes, followed step by step in a checkout of the project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from conftest import ROOT, copy_project, edit, snakemake
from sociolect.slurm.evidence import Evidence
from sociolect.slurm.runs import Submitted
from sociolect.slurm.verdicts import explain, read_causes

RULE = """

rule count_questions:
    input:
        samples=samples_of(CONFIG.splits),
    output:
        counts=f"{RUN}/samples/counts.parquet",
    log:
        f"{LOGS}/count_questions.log",
    benchmark:
        f"{TIMES}/count_questions.tsv"
    conda:
        env_of("core")
    resources:
        mem_mb=growing(1300),
        runtime=growing(10, most=DAY),
    params:
        settings=json_of("corpus", only=set()),
        code=source_digest("count_questions"),
    shell:
        command("count_questions")
"""
PROGRAM = '''"""Count the questions of each group."""

from __future__ import annotations

import polars as pl

from sociolect.common.artifacts import Column, Schema
from sociolect.common.runtime import Job, run_program
from sociolect.common.schemas import SAMPLES
from sociolect.settings.corpus import CorpusSettings

COUNTS = Schema("counts", {"group": Column(pl.String, "group"), "n": Column(pl.UInt32, "questions")}, ("group",))


def main(job: Job[CorpusSettings]) -> None:
    questions = job.read("samples", SAMPLES).group_by("group").agg(n=pl.col("question_id").n_unique()).sort("group")
    job.write(questions, "counts", COUNTS)


if __name__ == "__main__":
    run_program(main, __doc__, CorpusSettings, inputs=["samples*"], outputs=["counts"])
'''


def headings() -> list[str]:
    return re.findall(r"^## Add (an? .+)$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)


def python(folder: Path, *command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("contributing") / "project")


def test_every_recipe_is_followed_here() -> None:
    assert headings() == ["a config key", "a rule", "a cause"]


def test_add_a_config_key(checkout: Path) -> None:
    field = '    loudest: int = Field(3, ge=1, description="Most exclamation marks of a pair.")\n'
    edit(
        checkout / "workflow/scripts/sociolect/settings/sfam.py",
        '    """Training pairs of SFAM."""\n\n',
        f'    """Training pairs of SFAM."""\n\n{field}',
    )
    python(checkout, "workflow/tools/write_generated.py", "--root", ".")
    assert "| `pairs.loudest` | whole number | `3` |" in (checkout / "config/README.md").read_text()
    assert '"loudest"' in (checkout / "workflow/schemas/config.schema.json").read_text()
    # the rule gets it, and a wrong value is refused with the key's name
    (checkout / "wrong.yaml").write_text((checkout / "config/demo.yaml").read_text() + "\npairs: {loudest: 0}\n")
    values = yaml.safe_load((checkout / "config/demo.yaml").read_text())
    values.setdefault("pairs", {})["loudest"] = 0
    (checkout / "wrong.yaml").write_text(yaml.safe_dump(values))
    refused = snakemake(checkout, "--dry-run", "--configfile", "wrong.yaml", check=False)
    assert refused.returncode and "key 'pairs.loudest'" in refused.stdout + refused.stderr
    values["pairs"]["loudest"] = 2
    (checkout / "right.yaml").write_text(yaml.safe_dump(values))
    shown = snakemake(checkout, "--dry-run", "--printshellcmds", "--configfile", "right.yaml")
    pairing = next(line for line in shown.stdout.splitlines() if " pair_attributes --" in line)
    assert '"loudest": 2' in pairing


def test_add_a_rule(checkout: Path) -> None:
    (checkout / "workflow/scripts/count_questions.py").write_text(PROGRAM)
    rules = checkout / "workflow/rules/corpus.smk"
    rules.write_text(rules.read_text() + RULE)
    snakemake(checkout, "--profile", "profiles/local", "--", "results/demo/samples/counts.parquet")
    counts = pl.read_parquet(checkout / "results/demo/samples/counts.parquet")
    assert counts.height >= 6 and counts["n"].min() > 0  # type: ignore[operator]
    assert "done: count_questions" in (checkout / "results/demo/logs/count_questions.log").read_text()
    # the program is held to what every program keeps
    python(
        checkout,
        "-m",
        "pytest",
        "-q",
        "tests/unit/common/test_flags.py",
        "-k",
        "count_questions",
        "-p",
        "no:cacheprovider",
    )


def test_add_a_cause(checkout: Path) -> None:
    edit(
        checkout / "profiles/slurm/causes.yaml",
        "causes:\n",
        "causes:\n  - id: moon\n    title: the moon is full over {node}\n    log: 'howling at (?P<what>\\w+)'\n"
        '    remedy: "wait two weeks, or mend {what}"\n',
    )
    causes = read_causes(checkout / "profiles/slurm/causes.yaml")
    sent = Submitted("7", "run", "train_sfam")
    verdict = explain(Evidence(sent, "FAILED", node="node01", slurm_log="howling at epoch", now=0.0), causes)
    assert (verdict.cause, verdict.title, verdict.remedy) == (
        "moon",
        "the moon is full over node01",
        "wait two weeks, or mend epoch",
    )
