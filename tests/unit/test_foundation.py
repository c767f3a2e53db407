"""Seeds, digests, settings, the programs' frame, and generated files that must not drift."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sociolect.common import runtime
from sociolect.common.digests import SCRIPTS, source_digest
from sociolect.common.errors import InputError
from sociolect.common.seeds import seed_of, stable_hash
from sociolect.settings.config import Config, load_config, read_config
from sociolect.settings.documents import generated_files
from sociolect.settings.sfam import SfamSettings

ROOT = SCRIPTS.parents[1]


def test_seeds_are_the_same_everywhere() -> None:
    # first 8 bytes of SHA-256 of "1\x1fx", as `printf '1\037x' | sha256sum` prints them
    assert stable_hash(1, "x") == int("97616a4a473ee0c2", 16)
    code = "import sys; sys.path.insert(0, sys.argv[1]); from sociolect.common.seeds import seed_of as s; print(s(1, 'a', 2))"
    other = subprocess.run([sys.executable, "-c", code, str(SCRIPTS)], capture_output=True, text=True, check=True)
    assert int(other.stdout) == seed_of(1, "a", 2) < 2**63
    assert len({seed_of(1, "a", "b"), seed_of(1, "ab"), seed_of(2, "a", "b")}) == 3


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    copy = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return copy


def fresh(scripts: Path, tmp_path: Path, number: int) -> dict[str, str]:
    copy = tmp_path / f"look{number}"
    shutil.copytree(scripts, copy)
    return {p.stem: source_digest(p.stem, copy) for p in copy.glob("*.py")}


def test_source_digest_follows_code_and_not_comments(scripts: Path, tmp_path: Path) -> None:
    before = fresh(scripts, tmp_path, 0)
    metrics = scripts / "sociolect/evaluation/metrics.py"
    metrics.write_text(metrics.read_text() + "\n# a comment\n")
    assert fresh(scripts, tmp_path, 1) == before
    metrics.write_text(metrics.read_text() + "\nADDED = 1\n")
    after = fresh(scripts, tmp_path, 2)
    changed = {name for name in before if before[name] != after[name]}
    assert {"score_generations"} <= changed
    assert not changed & {"train_sfam", "label_answers", "generate_answers", "plan_requests", "import_corpus"}


def test_a_key_of_one_stage_changes_only_its_programs(scripts: Path, tmp_path: Path) -> None:
    before = fresh(scripts, tmp_path, 0)
    settings = scripts / "sociolect/settings.py"
    text = settings.read_text()
    settings.write_text(text.replace("class PairSettings(Stage):\n", "class PairSettings(Stage):\n    more: int = 1\n"))
    after = fresh(scripts, tmp_path, 1)
    changed = {name for name in before if before[name] != after[name]}
    # these two, no programs of rules, read the whole config
    assert changed == {"pair_attributes", "write_generated", "check_site"}


@pytest.mark.parametrize("name", ["demo", "scratch", "config"])
def test_configs_are_valid(name: str) -> None:
    assert read_config(ROOT / f"config/{name}.yaml").run


def test_the_notes_minima_are_the_defaults_of_the_real_config() -> None:
    config = read_config(ROOT / "config/config.yaml")
    assert config.sampling.minimum.model_dump() == {"single": 3500, "multi": 6000, "askx": 130}
    assert config.description.n_answers == 5000 and config.description.describer == "llm"
    assert config.models.sfam.repo == "microsoft/deberta-v3-base"
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    values["models"]["sfam"] = "deberta-v3-large"
    assert load_config(values, "x").models.sfam.repo == "microsoft/deberta-v3-large"


def test_generated_files_are_up_to_date() -> None:
    stale = [p.name for p, text in generated_files(ROOT).items() if p.read_text(encoding="utf-8") != text]
    assert not stale, "run `make schema`"


def test_direct_pins_are_in_the_lock() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = set((ROOT / "envs/core.txt").read_text().split())
    assert {p.split("[")[0] for p in project["dependencies"]} <= lock
    assert set(project["optional-dependencies"]["dev"]) <= set((ROOT / "envs/dev.txt").read_text().split())


def run_program(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPTS / "build_catalogue.py"), *args], capture_output=True, text=True)


def test_programs_end_with_one_error_line(tmp_path: Path) -> None:
    flags = ["--catalogue", str(tmp_path / "c"), "--funnel", str(tmp_path / "f"), "--sentences", str(tmp_path / "no")]
    done = run_program(*flags, "--settings", "{}")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == f"error: {tmp_path / 'no'}: no such file"
    done = run_program(*flags, "--settings", json.dumps({"max_char": 3}))
    assert done.stderr.strip().splitlines()[-1].startswith("error: --settings: key 'max_char'")


def test_the_error_comes_last_and_stays_in_the_heartbeat_whatever_was_reported_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(job: runtime.Job[SfamSettings]) -> None:
        job.progress("train")(1, 2, "half way")
        raise InputError("no more answers")

    beat = tmp_path / "x.beat"
    with pytest.raises(SystemExit):
        runtime.run_program(fails, "", SfamSettings, argv=["--settings", "{}", "--heartbeat", str(beat)])
    assert capsys.readouterr().err.strip().splitlines()[-1] == "error: no more answers"
    state = json.loads(beat.read_text())
    assert (state["stage"], state["ended"], state["message"]) == ("train", "failed", "no more answers")


def test_every_field_has_a_description() -> None:
    def walk(model: type) -> list[str]:
        missing = []
        for name, field in model.model_fields.items():
            if not field.description:
                missing.append(f"{model.__name__}.{name}")
            if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
                missing += walk(field.annotation)
        return missing

    assert walk(Config) == []


def test_errors_name_key_and_known_keys() -> None:
    with pytest.raises(InputError, match=r"here: key 'sfam.lr'.*known keys here: .*learning_rate"):
        load_config({"run": "x", "experiments": {"m": {"fit": ["single"], "ask": "single"}}, "sfam": {"lr": 1}}, "here")


def test_what_only_vllm_needs_changes_no_digest_of_the_others() -> None:
    tree = ast.parse((SCRIPTS / "sociolect/lm/backends.py").read_text(encoding="utf-8"))
    lazy = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and "vllm" in (node.module or "")]
    # the one import, inside a function: the other backend never comes by it
    assert len(lazy) == 1 and lazy[0] not in tree.body
    left = source_digest("generate_answers", leave=(str(lazy[0].module),))
    assert left != source_digest("generate_answers")
