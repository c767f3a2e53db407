"""The README's map names every file of docs/ and config/, and every top-level entry that is not plain by its name."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from conftest import ROOT
from sociolect.common.errors import InputError
from sociolect.settings.file_map import file_map

# what every project has, under the name that every project gives it
PLAIN = {"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml", "results", "data"}


def test_the_map_names_everything_that_a_newcomer_looks_for() -> None:
    named = re.findall(r"^\| `([^`]+)` \|", file_map(ROOT), re.MULTILINE)
    for folder in ("docs", "workflow/rules", "workflow/tools", "benchmarks"):
        files = {p.relative_to(ROOT).as_posix() for p in (ROOT / folder).iterdir() if p.is_file()}
        assert files <= set(named), f"{folder}: {sorted(files - set(named))}"
    tops = {name.split("/")[0] for name in named}
    entries = {p.name for p in ROOT.iterdir() if not p.name.startswith((".", "__"))}
    assert entries - tops - PLAIN == set()


def test_a_file_that_does_not_say_what_it_is_is_refused(tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "tree", ignore=shutil.ignore_patterns(".*", "results", "__pycache__"))
    (tmp_path / "tree/benchmarks/silent.py").write_text("x = 1\n")
    with pytest.raises(InputError, match=r"silent\.py: begin it with a sentence"):
        file_map(tmp_path / "tree")
    shutil.rmtree(tmp_path / "tree/benchmarks")
    with pytest.raises(InputError, match=r"names benchmarks/\*\.py, which matches nothing"):
        file_map(tmp_path / "tree")


def test_a_users_own_config_is_not_in_it(tmp_path: Path) -> None:
    shutil.copytree(ROOT, tmp_path / "tree", ignore=shutil.ignore_patterns(".*", "results", "__pycache__"))
    (tmp_path / "tree/config/mine.yaml").write_text("run: mine\n")
    assert file_map(tmp_path / "tree") == file_map(ROOT)
