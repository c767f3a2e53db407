"""A change reruns what depends on it and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import demo_in, skip_here, snakemake
from sociolect.common.artifacts import read_table
from sociolect.common.schemas import LABELS
from sociolect.settings.syntax import is_installed

# what asks the language model, in its wording
ASKING = {"read_answers", "answer_unsteered", "try_method", "choose_wording", "answer_adapted", "generate_answers"}
# key -> value and the rules that use it (what follows from their outputs is rerun as well)
KEYS: dict[str, tuple[object, set[str]]] = {
    "demo.askx_questions_per_group": (61, {"make_demo_corpus"}),
    "corpus.min_chars": (21, {"import_corpus"}),
    "sampling.answers_per_question": (1, {"sample_groups"}),
    "description.quantile": (0.75, {"describe_style", "calibrate_measures"}),
    "catalogue.max_share": (0.59, {"build_catalogue"}),
    "pairs.hard_share": (0.4, {"pair_attributes"}),
    "sfam.learning_rate": (0.003, {"train_sfam"}),
    "sfam.min_auroc": (0.8, {"check_sfam"}),
    "labeling.tokens_per_batch": (8000, {"label_answers", "try_method", "choose_wording"}),
    "embedding.patience": (5, {"tune_embedding", "train_embedding", "measure_topic"}),
    "profiles.distinctive_k": (5, {"profile_groups"}),
    "profiles.center": ("mean_embedding", {"profile_groups", "measure_accuracy", "measure_topic"}),
    "topic.clusters": (20, {"measure_topic"}),
    "stability.within": (0.2, {"measure_stability"}),
    "scratch.lm.steps": (10, {"train_scratch_lm"}),
    "prompts.style": ("chat", {"plan_requests", "measure_fluency", "extract_activations", *ASKING}),
    # fluency and generation take the prompts of the plan as they are
    "prompts.date": ("2024-02-29", {"plan_requests", "extract_activations", *(ASKING - {"generate_answers"})}),
    "activations.contrast": ("raw", {"extract_activations"}),
    "readings.answers_per_group": (100, {"read_answers"}),
    "readings.folds": (4, {"read_answers"}),
    # methods weight the heaviest attributes, and prompts name them: those of the plan, and those that are read
    "steering.n_eff": (5.0, {"read_answers", "build_steering", "choose_wording", "plan_requests"}),
    "steering.named": (3, {"read_answers", "build_steering", "choose_wording", "plan_requests"}),
    "sweep.questions_per_group": (7, {"answer_unsteered", "try_method"}),
    "sweep.halvings": (1, {"try_method"}),
    "sweep.judges": (["sfam"], {"try_method", "choose_wording"}),
    "sweep.max_topic_loss": (0.2, {"try_method"}),
    "adapters.steps": (50, {"answer_adapted"}),
    "generation.samples": (2, {"plan_requests"}),
    "generation.examples": (2, {"plan_requests"}),
    "generation.targets": ("own", {"plan_requests"}),
    "generation.temperature": (0.9, ASKING),
    # judges are fitted on texts as short
    "generation.max_new_tokens": (
        60,
        {"plan_requests", "fit_judges", *(ASKING - {"read_answers"})},
    ),
    "evaluation.resamples": (
        2500,
        {"compare_conditions", "compare_judges", "fit_judges", "measure_chain", "write_explorer"},
    ),
    "evaluation.sentence_model": ("models/sentences", {"fit_judges", "judge_answers"}),
    "evaluation.examples": (3, {"show_examples"}),
    "evaluation.tie_tolerance": (1e-8, {"score_generations"}),
}


# one process starts Snakemake and reads the sources for all dry runs; each of them goes on in a child of its own
DRY_RUNS = """
import os, sys
from pathlib import Path
sys.path.insert(0, "workflow/scripts")
from snakemake.cli import main
from sociolect.common.digests import source_digest

for program in Path("workflow/scripts").glob("*.py"):
    source_digest(program.stem)
for config in sys.argv[1:]:
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        said = os.open(config + ".txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1), os.dup2(said, 2)
        sys.exit(main(["--cores", "2", "--dry-run", "--configfile", config]))
"""


def rerun_reasons(folder: Path, *args: str) -> dict[str, set[str]]:
    """Reason -> rules, from the summary of a dry run."""
    return reasons_in(snakemake(folder, "--dry-run", *args).stdout)


def reasons_in(text: str) -> dict[str, set[str]]:
    """Reason -> rules, as a dry run says them last."""
    found: dict[str, set[str]] = {}
    summary = text.partition("Reasons:")[2]
    for reason, rules in re.findall(r"\n    ([^\n]+):\n        ([^\n]+)", summary):
        found[reason] = set(rules.split(", "))
    return found


def with_key(folder: Path, key: str, value: object, file: str = "changed.yaml") -> str:
    """The demo's config with another value of a key, in a file of this name."""
    config = yaml.safe_load((folder / "config/demo.yaml").read_text())
    section = config
    *path, last = key.split(".")
    for name in path:
        section = section.setdefault(name, {})
    assert section.get(last) != value, f"{key} has that value already"
    section[last] = value
    (folder / file).write_text(yaml.safe_dump(config))
    return file


def test_unchanged_run_has_nothing_to_do(demo_copy: Path) -> None:
    assert "Nothing to be done" in snakemake(demo_copy, "--profile", "profiles/local").stderr


@pytest.fixture(scope="module")
def shared_copy(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_in(demo, tmp_path_factory.mktemp("keys") / "project")


@pytest.fixture(scope="module")
def said(shared_copy: Path) -> dict[str, str]:
    """What a dry run of the finished demo says after a change of each key."""
    # a sentence model that is not there ends any run
    (shared_copy / "models/sentences").mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (shared_copy / "models/sentences" / name).write_text("{}")
    configs = {key: with_key(shared_copy, key, value, f"{key}.yaml") for key, (value, _) in KEYS.items()}
    subprocess.run([sys.executable, "-c", DRY_RUNS, *configs.values()], cwd=shared_copy, check=True)
    return {key: (shared_copy / f"{config}.txt").read_text() for key, config in configs.items()}


@pytest.mark.parametrize("key", KEYS)
def test_key_reruns_exactly_the_rules_that_use_it(said: dict[str, str], key: str) -> None:
    _, rules = KEYS[key]
    reasons = reasons_in(said[key])
    changed = reasons.pop("params have changed since last execution")
    followers = reasons.pop("input files updated by another job")
    assert not reasons
    # of two users the one that follows the other is listed as its follower
    assert changed and changed <= rules <= changed | followers


def test_shards_redo_nothing_that_is_done(shared_copy: Path) -> None:
    """Three shards instead of two: the jobs run, but every bucket is taken from the cache."""
    config = with_key(shared_copy, "labeling.shards", 3)
    target = shared_copy / "results/demo/labels/single.parquet"
    before = read_table(target, LABELS)
    snakemake(shared_copy, "--configfile", config, "--", "results/demo/labels/single.parquet")
    assert read_table(target, LABELS).equals(before)
    logs = list((shared_copy / "results/demo/logs/label_answers/single").glob("*-of-3.log"))
    assert len(logs) == 3
    assert all("scored 0 of" in log.read_text() for log in logs)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new))


def test_comment_and_docstring_rerun_nothing(demo_copy: Path) -> None:
    library = demo_copy / "workflow/scripts/sociolect"
    for module in ("evaluation/metrics.py", "common/artifacts.py", "settings/sfam.py", "sfam/training.py"):
        path = library / module
        first, rest = path.read_text().split("\n", 1)
        path.write_text(f"{first.replace(chr(34) * 3, chr(34) * 3 + 'Reworded. ', 1)}\n# a comment\n{rest}")
    assert rerun_reasons(demo_copy) == {}


def test_body_of_a_metric_reruns_scoring_and_table(demo_copy: Path) -> None:
    path = demo_copy / "workflow/scripts/sociolect/evaluation/metrics.py"
    text = path.read_text()
    at = text.index("    return ", text.index("def nearest"))
    path.write_text(text[:at] + "    unused = 1\n" + text[at:])
    reasons = rerun_reasons(demo_copy)
    rerun = set().union(*reasons.values())
    tables = {"score_generations", "compare_conditions", "compare_judges", "show_examples"}
    assert tables <= rerun and rerun <= {*tables, "write_report", "write_explorer", "all"}


def test_new_key_of_one_stage_leaves_the_others_alone(demo_copy: Path) -> None:
    edit(
        demo_copy / "workflow/scripts/sociolect/settings/sfam.py",
        "class PairSettings(Stage):\n",
        "class PairSettings(Stage):\n    extra_key: int = 3\n",
    )
    reasons = rerun_reasons(demo_copy)
    assert reasons["params have changed since last execution"] == {"pair_attributes"}


def test_another_method_is_read_for_and_tried(demo_copy: Path) -> None:
    methods = yaml.safe_load((demo_copy / "config/demo.yaml").read_text())["steering"]["methods"]
    config = with_key(demo_copy, "steering.methods", [*methods, "own_answer"])
    reasons = rerun_reasons(demo_copy, "--configfile", config)
    assert reasons["params have changed since last execution"] == {"read_answers"}
    # they use the key, too, and are listed as followers of what is read
    assert {"build_steering", "plan_requests"} <= reasons["input files updated by another job"]
    # its own sweep is new, and the choice is among one more
    assert "try_method" in reasons["output files have to be generated"]
    assert "choose_strength" in set().union(*reasons.values())
    before = {
        "extract_activations",
        "answer_unsteered",
        "choose_wording",
        "fit_judges",
        "train_scratch_lm",
        "profile_groups",
    }
    assert not before & set().union(*reasons.values())


def test_keys_of_syntax_count_only_where_answers_are_tagged(demo_copy: Path) -> None:
    if not is_installed("en_core_web_sm"):
        skip_here("spaCy is not installed: make setup-syntax")
    assert rerun_reasons(demo_copy, "--configfile", with_key(demo_copy, "syntax.buckets", 32)) == {}
    reasons = rerun_reasons(demo_copy, "--configfile", with_key(demo_copy, "syntax.tagger", "en_core_web_sm"))
    rerun = set().union(*reasons.values())
    readers = {"tag_answers", "describe_style", "measure_accuracy", "train_scratch_lm"}
    assert readers | {"fit_judges", "judge_answers"} <= rerun
    assert not {"import_corpus", "sample_groups", "make_scratch_sfam"} & rerun
