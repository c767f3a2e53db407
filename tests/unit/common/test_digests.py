"""Digests of programs: what changes which."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from sociolect.common.digests import SCRIPTS, remembered, source_digest

GENERATORS = {
    *("describe_style", "extract_activations", "answer_unsteered", "generate_answers", "probe_rates"),
    *("try_method", "try_cell", "choose_wording"),
}
# what answers val questions and has them judged, and what compares such trials
TRYING = {"try_method", "try_cell", "choose_wording", "compare_vectors"}
PAGES = {"write_report", "write_explorer"}
JUDGES = {"fit_judges", "judge_answers"}
ESTIMATES = {"probe_rates", "estimate_cost"}
PROGRAMS = {path.stem for path in SCRIPTS.glob("*.py")} - {"start_program"}
# settings file -> what stands there, what stands there instead, and the programs whose rules use the key
DEFAULTS = {
    "base": ('extra="forbid"', 'extra="ignore"', PROGRAMS),
    "corpus": ("Field(3500,", "Field(3501,", {"sample_groups"}),
    "models": ("Field(700,", "Field(701,", {"train_scratch_lm", *ESTIMATES}),
    "attributes": ("Field(5000,", "Field(5001,", {"describe_style", "calibrate_measures", *ESTIMATES}),
    "sfam": ("Field(20000,", "Field(20001,", {"train_sfam", "check_sfam", *ESTIMATES}),
    "labels": (
        "16384,",
        "16385,",
        {"label_answers", "gather_labels", "distil_student", "measure_fidelity", *TRYING, *ESTIMATES},
    ),
    "embedding": ("Field(25,", "Field(26,", {"tune_embedding", "train_embedding", "measure_topic", "fit_cell"}),
    # the heaviest attributes are named in prompts, and methods weight them
    "steering": (
        "Field(8.0,",
        "Field(9.0,",
        {"read_answers", "build_steering", "choose_strength", "plan_requests", "estimate_cost", *TRYING},
    ),
    "adapters": ("Field(200,", "Field(201,", {"answer_adapted", "plan_requests", "estimate_cost"}),
    "generation": (
        "Field(256,",
        "Field(257,",
        {
            *("plan_requests", "generate_answers", "gather_generations", "measure_fluency"),
            # judges are fitted on texts as short as generations
            *("read_answers", "answer_unsteered", "answer_adapted", *TRYING, *JUDGES, *ESTIMATES),
        },
    ),
    # the sweep and the judges tag what was generated
    "syntax": ("Field(64,", "Field(65,", {"tag_answers", *TRYING, *JUDGES, *ESTIMATES}),
    "server": ("Field(120.0,", "Field(121.0,", {"describe_style", "calibrate_measures", *ESTIMATES}),
    "vllm": ("Field(128,", "Field(129,", GENERATORS),
    "evaluation": (
        "Field(2000,",
        "Field(2001,",
        {
            "score_generations",
            "compare_conditions",
            "compare_judges",
            "show_examples",
            "measure_chain",
            *JUDGES,
            *PAGES,
        },
    ),
    "pages": ("Field(None,", "Field(...,", {"write_report"}),
    "study": ("Field(8,", "Field(9,", {"fit_cell", "compare_cells", "compare_vectors", "draw_study"}),
    "estimate": ("Field(200.0,", "Field(201.0,", ESTIMATES),
    # a rule passes the style as a flag and the file as an input
    "prompting": ("document.yaml", "documents.yaml", set()),
    # the whole config: no program of a rule sees it
    "config": ("Field(1,", "Field(2,", set()),
}


def digests(scripts: Path) -> dict[str, str]:
    return {name: source_digest(name, scripts) for name in PROGRAMS}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(SCRIPTS, tmp_path_factory.mktemp("untouched") / "scripts")


def copy_of(scripts: Path, folder: Path) -> Path:
    shutil.copytree(scripts, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return folder


def test_every_settings_file_is_looked_at() -> None:
    files = {path.stem for path in (SCRIPTS / "sociolect/settings").glob("*.py")}
    # what writes documents and locks, and what checks, holds no key
    assert set(DEFAULTS) == files - {
        *("__init__", "documents", "file_map", "citations", "locks", "combinations", "faults"),
    }


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_changed_default_reruns_exactly_what_uses_it(untouched: Path, tmp_path: Path, name: str) -> None:
    old, new, expected = DEFAULTS[name]
    scripts = copy_of(untouched, tmp_path / "scripts")
    file = scripts / "sociolect/settings" / f"{name}.py"
    text = file.read_text()
    assert text.count(old) == 1, f"{old} is {text.count(old)} times in {name}.py"
    file.write_text(text.replace(old, new))
    before, after = digests(untouched), digests(scripts)
    assert {program for program in PROGRAMS if before[program] != after[program]} == expected


def test_a_comment_and_a_docstring_rerun_nothing(untouched: Path, tmp_path: Path) -> None:
    scripts = copy_of(untouched, tmp_path / "scripts")
    for file in (scripts / "sociolect").rglob("*.py"):
        text = file.read_text()
        assert text.startswith('"""')
        file.write_text(text.replace('"""', '"""Reworded. ', 1) + "\n# a comment\n")
    assert digests(scripts) == digests(untouched)


@pytest.mark.parametrize(
    "line",
    [
        'Parts.model_config["extra"] = "ignore"',
        "if True:\n    Share = float",
        "from sociolect.settings.base import *",
        "import sociolect.settings.base as base",
    ],
)
def test_a_settings_file_holds_only_what_can_be_followed(untouched: Path, tmp_path: Path, line: str) -> None:
    scripts = copy_of(untouched, tmp_path / "scripts")
    file = scripts / "sociolect/settings/corpus.py"
    file.write_text(f"{file.read_text()}\n{line}\n")
    with pytest.raises(LookupError, match=r"sociolect\.settings\.corpus, line \d+: only imports of names"):
        source_digest("sample_groups", scripts)


def test_the_worker_that_stands_in_a_string_counts(untouched: Path, tmp_path: Path) -> None:
    scripts = copy_of(untouched, tmp_path / "scripts")
    worker = scripts / "sociolect/lm/vllm_compiled_worker.py"
    worker.write_text(worker.read_text() + "\nADDED = 1\n")
    assert source_digest("generate_answers", scripts) != source_digest("generate_answers", untouched)


def test_a_name_that_cannot_be_followed_is_refused(untouched: Path, tmp_path: Path) -> None:
    """A rerun that is missed in silence would be worse."""
    scripts = copy_of(untouched, tmp_path / "scripts")
    (scripts / "strange.py").write_text("from sociolect.settings.corpus import Absent\n")
    with pytest.raises(LookupError, match=r"sociolect\.settings\.corpus defines no 'Absent'"):
        source_digest("strange", scripts)


def test_code_counts_and_reruns_what_imports_it(untouched: Path, tmp_path: Path) -> None:
    scripts = copy_of(untouched, tmp_path / "scripts")
    metrics = scripts / "sociolect/evaluation/metrics.py"
    metrics.write_text(metrics.read_text() + "\nADDED = 1\n")
    before, after = digests(untouched), digests(scripts)
    assert {name for name in PROGRAMS if before[name] != after[name]} == {"score_generations"}


def test_a_new_key_of_one_stage_changes_only_its_programs(untouched: Path, tmp_path: Path) -> None:
    scripts = copy_of(untouched, tmp_path / "scripts")
    settings = scripts / "sociolect/settings/sfam.py"
    text = settings.read_text()
    settings.write_text(text.replace("class PairSettings(Stage):\n", "class PairSettings(Stage):\n    more: int = 1\n"))
    before, after = digests(untouched), digests(scripts)
    assert {name for name in PROGRAMS if before[name] != after[name]} == {"pair_attributes"}


def test_what_only_vllm_needs_changes_no_digest_of_the_others() -> None:
    tree = ast.parse((SCRIPTS / "sociolect/lm/backends.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    lazy = [node for node in imports if (node.module or "").startswith("sociolect.lm.vllm")]
    # the one import, inside a function: the other backend never comes by it
    assert len(lazy) == 1 and lazy[0] not in tree.body
    left = source_digest("generate_answers", leave=(str(lazy[0].module),))
    assert left != source_digest("generate_answers")


def test_remembered_digests_are_the_same_until_a_source_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts, kept = tmp_path / "scripts", tmp_path / "state/digests.json"
    (scripts / "sociolect/common").mkdir(parents=True)
    (scripts / "one.py").write_text("from sociolect.common.low import x\n")
    (scripts / "sociolect/common/low.py").write_text("x = 1\n")
    plain = source_digest("one", scripts)
    with remembered(kept, scripts):
        assert source_digest("one", scripts) == plain
    # from the file alone
    with monkeypatch.context() as patched, remembered(kept, scripts):
        patched.setattr("sociolect.common.digests._module", lambda *_: pytest.fail("read again"))
        assert source_digest("one", scripts) == plain
    (scripts / "sociolect/common/low.py").write_text("x = 22\n")
    with remembered(kept, scripts):
        changed = source_digest("one", scripts)
    assert changed != plain and changed == source_digest("one", scripts)
    kept.write_text('{"half')
    with remembered(kept, scripts):
        assert source_digest("one", scripts) == changed
