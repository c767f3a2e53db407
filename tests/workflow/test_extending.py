"""The examples of docs/extending.md, each taken from there, put into a copy of the project with its names, and run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from conftest import ROOT, copy_project, edit, snakemake
from made_tables import make, samples
from sociolect.common.artifacts import read_table, write_table
from sociolect.common.schemas import CORPUS, SAMPLES, SENTENCES

# heading -> table that gets the line shown there, and the line before which it goes; then settings: old and new
TABLES = {
    "A describer": ("attributes/describers.py", '    "stylometry": describe_by_measures,\n'),
    "A scorer": ("labels/labelers.py", '    "cross_encoder": load_cross_encoder,\n'),
    "A metric": ("evaluation/text_metrics.py", '    "distinct_1": lambda'),
    "An importer": ("dumps/sources.py", '    "reddit": KindOfDump('),
}
VALUES = {
    "settings/attributes.py": ('["llm", "stylometry"]', '["llm", "stylometry", "shouting"]'),
    "settings/labels.py": ('"measured"] = Field(', '"measured", "both_halves"] = Field('),
    "settings/steering.py": ('    "rotated",\n]', '    "rotated",\n    "last_block",\n]'),
}


def example(heading: str) -> tuple[str, str, list[str]]:
    """File, its text, and the lines that go into tables, as a section of the manual has them."""
    text = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", text.split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]
    (file, code), *lines = re.findall(r"`([\w/]+\.py)`:?\n\n```python\n(.*?)```", section, re.DOTALL)
    return file, code, [line for _, line in lines]


def python(folder: Path, *command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with all five."""
    checkout = copy_project(tmp_path_factory.mktemp("extending") / "project")
    library = checkout / "workflow/scripts/sociolect"
    for heading, (table, before) in TABLES.items():
        file, code, lines = example(heading)
        (library / file).write_text(code)
        edit(library / table, before, lines[0] + before)
        # the function that the line names
        (name,) = set(re.findall(r"\w+", lines[0])) & set(re.findall(r"^def (\w+)", code, re.MULTILINE))
        known = (library / table).read_text()
        first = re.search(r"^from sociolect", known, re.MULTILINE)
        assert first
        module = file.removesuffix(".py").replace("/", ".")
        added = f"{known[: first.start()]}from sociolect.{module} import {name}\n{known[first.start() :]}"
        (library / table).write_text(added)
    _, _, (_, meaning) = example("A metric")
    edit(library / "common/schemas.py", "TEXT_METRICS = {\n", f"TEXT_METRICS = {{\n{meaning}")
    file, code, _ = example("A steering method")
    (library / file).write_text(code)
    methods = library / "steering/methods/__init__.py"
    edit(methods, "    mean_difference,\n    own", "    last_block,\n    mean_difference,\n    own")
    edit(methods, '    "rotated": rotated,\n', '    "rotated": rotated,\n    "last_block": last_block,\n')
    for settings, (old, new) in VALUES.items():
        edit(library / settings, old, new)
    python(checkout, "workflow/tools/write_generated.py", "--root", ".")
    return checkout


def test_their_names_are_values_of_the_config_and_plan_what_they_need(extended: Path) -> None:
    manual = (extended / "config/README.md").read_text()
    assert "`llm` or `stylometry` or `shouting`" in manual and "or `measured` or `both_halves`" in manual
    values = yaml.safe_load((extended / "config/demo.yaml").read_text())
    values["description"]["describer"], values["labeling"]["scorer"] = "shouting", "both_halves"
    values["steering"]["methods"] = ["all", "last_block"]
    (extended / "all.yaml").write_text(yaml.safe_dump(values))
    planned = snakemake(extended, "--dry-run", "--printshellcmds", "--configfile", "all.yaml").stdout
    describing = next(line for line in planned.splitlines() if " describe_style --" in line)
    assert '"describer": "shouting"' in describing and "--model  --prompts  --document" in describing
    labeling = [line for line in planned.splitlines() if " label_answers --" in line]
    assert labeling and all("--model results/demo/sfam/teacher" in line for line in labeling)
    # a sweep of its own
    assert sorted(set(re.findall(r"output: \S+/tried/(\w+)\.parquet", planned))) == ["all", "last_block"]


def test_the_describer_describes(extended: Path, tmp_path: Path) -> None:
    frame = samples(make("a", "x", "train", 2) + make("b", "y", "val", 2))
    loud = pl.when(pl.col("answer_id").str.ends_with("1")).then(pl.lit(" Hey!")).otherwise(pl.lit(" Hm."))
    write_table(frame.with_columns(answer=pl.col("answer") + loud), tmp_path / "s.parquet", SAMPLES)
    flags = {"samples": tmp_path / "s.parquet", "splits": "single", "cache": tmp_path / "cache", "dtype": "float32"}
    flags |= {"backend": "{}", "server": "none", "prompt-style": "auto", "prompt-date": "none"}
    settings = {"describer": "shouting", "n_answers": 2, "n_heldout": 2}
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    words += ["--sentences", str(tmp_path / "out.parquet"), "--strict", "--settings", json.dumps(settings)]
    python(extended, "workflow/scripts/describe_style.py", *words)
    said = read_table(tmp_path / "out.parquet", SENTENCES)
    rows = said.select("answer_id", "prompt_id", "attribute").sort("answer_id").rows()
    assert rows == [(f"{a}{i}", "shouting", "exclamation marks" if i else None) for a in "ab" for i in (0, 1)]


def test_the_importer_imports(extended: Path, tmp_path: Path) -> None:
    (tmp_path / "knots.txt").write_text(
        "Q: Which knot for a loop that does not slip?\nA: A bowline, tied and dressed with care.\n"
        "A: A figure of eight on a bight, loaded first.\n\nQ: Which knot joins two ropes?\nA: A double sheet bend.\n"
    )
    (tmp_path / "sails.txt").write_bytes(b"Q: When to reef?\nA: When you first think of it, not later.\nA: \xff\n")
    words = ["faq", str(tmp_path / "knots.txt"), str(tmp_path / "sails.txt"), "--out", str(tmp_path / "data")]
    printed = python(extended, "workflow/tools/import_dump.py", *words)
    table = read_table(tmp_path / "data/multi.parquet", CORPUS)
    assert table.select("group", "question_id").n_unique() == 1 and table.height == 2
    single = read_table(tmp_path / "data/single.parquet", CORPUS).sort("answer")
    assert single.select("group", "answer").rows() == [
        ("knots", "A bowline, tied and dressed with care."),
        ("knots", "A double sheet bend."),
        ("sails", "When you first think of it, not later."),
    ]
    assert re.search(r"line cannot be read +\| +1 ", printed)


RUN = """
import json, sys
from pathlib import Path
import numpy as np
import polars as pl
sys.path += ["../../tests", "../../tests/unit/evaluation"]
from scored import bootstrap, scores, texts_of
from sociolect.common.schemas import COMPARISON, SCORES
from sociolect.evaluation.comparison import compare
from sociolect.evaluation.renderings import DAMAGE_HEADER, damage_cells
from sociolect.evaluation.text_metrics import METRICS
from sociolect.generation.conditions import conditions_of
from sociolect.labels.labelers import load_scorer
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.labels import LabelingSettings
from sociolect.settings.models import ScratchTokenizer
from sociolect.sfam.model import save_agreement
from sociolect.steering.material import Material
from sociolect.steering.vectors import steering_table
from tiny_models import tiny_agreement

found = {}
read = {kind: np.random.default_rng(0).standard_normal((2, 4, 3, 5)) for kind in ("answers", "content")}
table, built = steering_table(Material(("g", "h"), np.zeros((1, 3, 5)), {}, read), ("last_block",), 1)
found["methods"] = sorted(set(table["method"]))
found["same"] = all(np.allclose(v, v[0]) for v in built.values())
found["row"] = list(conditions_of(("last_block",)))[-1]

sentences = ["The author uses red words.", "The author uses digits."]
tokenizer = train_tokenizer(["red blue 7 9", *sentences], ScratchTokenizer(kind="word", vocabulary=50))
folder = Path(sys.argv[1])
save_agreement(tiny_agreement(tokenizer, 24, 2, 1, True), folder)
catalogue = pl.DataFrame({"attribute_id": ["a0", "a1"], "author_sentence": sentences})
names = ("cross_encoder", "both_halves")
plain, halves = (load_scorer(folder, catalogue, LabelingSettings(scorer=name, max_tokens=24)) for name in names)
parts = plain.score(["red red", "7 9 blue"]).scores
scored = halves.score(["red red 7 9 blue", "", "red"])
found["lower"] = bool(np.allclose(scored.scores[0], parts.min(axis=0), atol=1e-6))
found["differ"] = bool(abs(parts[0] - parts[1]).max() > 1e-4)
found["nothing"] = scored.scores[1:].tolist(), scored.n_empty
found["keys"] = len({plain.key, halves.key})

frame = scores({"question": "ab", "steered": "bb"})
row = compare(frame, texts_of(frame), bootstrap(frame)).filter(pl.col("condition") == "steered")
capitals = METRICS["capitals"]
found["metric"] = [capitals("Ab C!"), capitals("1 2"), frame["capitals"].to_list(), row["capitals"][0]]
found["shown"] = damage_cells(row)[0][DAMAGE_HEADER.index("capitals")]
found["known"] = "capitals" in COMPARISON.columns and SCORES.columns["capitals"].meaning
print(json.dumps(found))
"""


def test_method_scorer_and_metric_compute_what_they_say(extended: Path, tmp_path: Path) -> None:
    found = json.loads(python(extended / "workflow/scripts", "-c", RUN, str(tmp_path / "sfam")).splitlines()[-1])
    assert found["methods"] == ["last_block", "other_group_last_block", "random", "shuffled_last_block", "topic"]
    assert found["same"] and found["row"] == "steered (last_block)"
    # of a text of one word one half is empty
    assert (
        found["lower"] and found["differ"] and found["nothing"] == [[[0.0, 0.0], [0.0, 0.0]], 1] and found["keys"] == 2
    )
    assert found["metric"] == [2 / 3, None, [0.0] * 4, 0.0] and found["shown"] == "0.00"
    assert found["known"] == "share of letters that are capitals"
