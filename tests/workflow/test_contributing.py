"""CONTRIBUTING.md's recipes, followed step by step in a checkout of the project."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from conftest import ROOT, copy_project, snakemake
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
DESCRIBER = '''"""The describer that hears who shouts."""

from __future__ import annotations

import polars as pl

from sociolect.attributes.parsing import Said, parse_sentence


def describe_shouting(chosen: pl.DataFrame) -> list[list[Said]]:
    """Whether an answer has an exclamation mark."""
    loud = "The author uses exclamation marks."
    return [[("shouting", loud, parse_sentence(loud))] if "!" in answer else [] for answer in chosen["answer"]]
'''


def headings() -> list[str]:
    return re.findall(r"^## Add (.+)$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def python(folder: Path, *command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("contributing") / "project")


def test_every_recipe_is_followed_here() -> None:
    assert headings() == ["a config key", "a rule", "a cause", "a describer", "a steering method"]


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


def test_add_a_describer(checkout: Path) -> None:
    library = checkout / "workflow/scripts/sociolect"
    (library / "attributes/shouting.py").write_text(DESCRIBER)
    edit(library / "settings/attributes.py", 'Literal["llm", "stylometry"]', 'Literal["llm", "stylometry", "shouting"]')
    program = checkout / "workflow/scripts/describe_style.py"
    branch = '        case "shouting":\n            said = describe_shouting(chosen)\n'
    edit(program, '        case "llm":\n', branch + '        case "llm":\n')
    edit(
        program,
        "from sociolect.attributes.parsing",
        "from sociolect.attributes.shouting import describe_shouting\nfrom sociolect.attributes.parsing",
    )
    values = yaml.safe_load((checkout / "config/demo.yaml").read_text())
    values["description"]["describer"] = "shouting"
    (checkout / "loud.yaml").write_text(yaml.safe_dump(values))
    target = "results/demo/attributes/sentences.parquet"
    snakemake(checkout, "--profile", "profiles/local", "--configfile", "loud.yaml", "--", target)
    said = pl.read_parquet(checkout / target)
    assert set(said["attribute"].drop_nulls()) == {"exclamation marks"}
    assert set(said["prompt_id"]) == {"shouting"}


# the one that the manual shows
METHOD = re.findall(r"```python\n(.*?)```", (ROOT / "docs/extending.md").read_text(encoding="utf-8"), re.DOTALL)[0]


def test_add_a_steering_method(checkout: Path) -> None:
    """One that adds the last block's difference everywhere: a file, the registry, the settings."""
    library = checkout / "workflow/scripts/sociolect"
    (library / "steering/methods/last_block.py").write_text(METHOD)
    edit(
        library / "steering/methods/__init__.py",
        "    mean_difference,\n    own",
        "    last_block,\n    mean_difference,\n    own",
    )
    edit(
        library / "steering/methods/__init__.py",
        '    "rotated": rotated,\n',
        '    "rotated": rotated,\n    "last_block": last_block,\n',
    )
    edit(library / "settings/steering.py", '    "rotated",\n]', '    "rotated",\n    "last_block",\n]')
    values = yaml.safe_load((checkout / "config/demo.yaml").read_text())
    values["steering"]["methods"] = ["all", "last_block"]
    (checkout / "method.yaml").write_text(yaml.safe_dump(values))
    # it has a sweep of its own
    planned = snakemake(checkout, "--dry-run", "--configfile", "method.yaml").stdout
    assert sorted(re.findall(r"output: \S+/tried/(\w+)\.parquet", planned)) == ["all", "last_block"]
    code = """
import numpy as np
from sociolect.generation.conditions import conditions_of
from sociolect.steering.material import Material
from sociolect.steering.vectors import steering_table
read = {kind: np.random.default_rng(0).standard_normal((2, 4, 3, 5)) for kind in ("answers", "content")}
material = Material(("g", "h"), np.zeros((1, 3, 5)), {}, read)
table, built = steering_table(material, ("last_block",), 1)
print(sorted(set(table["method"])))
print(all(np.allclose(v, v[0]) for v in built.values()), list(conditions_of(("last_block",)))[-1])
"""
    made = python(checkout / "workflow/scripts", "-c", code).splitlines()
    assert made == [
        "['last_block', 'other_group_last_block', 'random', 'shuffled_last_block', 'topic']",
        "True steered (last_block)",
    ]
