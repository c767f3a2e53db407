"""The library's folders: no loose module, no base name twice, imports in one direction, names in strings that exist."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections import Counter
from pathlib import Path

import print_imports
import pytest

from conftest import ROOT

LIBRARY = ROOT / "workflow/scripts/sociolect"
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py")


def test_imports_run_one_way_in_the_order_that_is_written_down() -> None:
    order = print_imports.read_order(ROOT / "CONTRIBUTING.md")
    rooms, arrows = print_imports.import_arrows(LIBRARY)
    assert sorted(order) == rooms and len(set(order)) == len(order)
    assert print_imports.arrows_up(arrows, order) == []
    assert print_imports.circle(arrows) == []


def test_an_import_up_and_a_circle_are_found(tmp_path: Path) -> None:
    for room, text in (("low", "from sociolect.high.two import x\n"), ("high", "import sociolect.low.one\n")):
        (tmp_path / room).mkdir()
        (tmp_path / room / {"low": "one.py", "high": "two.py"}[room]).write_text(text)
    rooms, arrows = print_imports.import_arrows(tmp_path)
    assert rooms == ["high", "low"]
    assert print_imports.arrows_up(arrows, ["low", "high"]) == ["low/one.py -> sociolect.high.two"]
    assert set(print_imports.circle(arrows)) == {"low", "high"}


def test_every_module_is_in_a_folder_and_no_base_name_stands_twice() -> None:
    assert [p.name for p in LIBRARY.glob("*.py")] == ["__init__.py"]
    twice = [name for name, n in Counter(path.name for path in MODULES).items() if n > 1]
    assert twice == []


def test_a_folder_has_a_rule_file_and_a_folder_of_tests() -> None:
    several = {"common", "settings", "stylometry", "lm", "scratch", "slurm", "export", "dag", "dumps"}
    several |= {"explorer", "report", "status"}
    folders = {path.name for path in LIBRARY.iterdir() if path.is_dir() and path.name != "__pycache__"}
    rule_files = {path.stem for path in (ROOT / "workflow/rules").glob("*.smk")}
    assert folders - several <= rule_files
    tested = {path.name for path in (ROOT / "tests/unit").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert tested == folders
    for folder in sorted(tested):
        strange = {p.stem.removeprefix("test_") for p in (ROOT / "tests/unit" / folder).glob("test_*.py")}
        # a folder in it, such as that of the steering methods, has one file of tests
        known = {p.parent.name if p.stem == "__init__" else p.stem for p in (LIBRARY / folder).rglob("*.py")}
        assert strange <= known, f"tests of no module of {folder}"


def test_programs_are_short_and_functions_tell_one_story() -> None:
    long = [p.name for p in (ROOT / "workflow/scripts").glob("*.py") if len(p.read_text().splitlines()) > 60]
    assert long == []
    for path in (*MODULES, *(ROOT / "workflow/tools").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{path.name}: {node.name}"


@pytest.mark.parametrize("path", [*MODULES, *(ROOT / "workflow/rules").glob("*.smk")], ids=lambda path: path.stem)
def test_modules_that_stand_in_strings_exist(path: Path) -> None:
    """Such as vLLM's worker classes, which no import checks."""
    for module, name in re.findall(r"[\"`](sociolect(?:\.[a-z_]+)+)[.:]?([A-Za-z_]*)[\"`]", path.read_text()):
        if module in ("sociolect.settings", "sociolect.common.schemas"):
            continue
        file = LIBRARY.joinpath(*module.split(".")[1:]).with_suffix(".py")
        if not name and not file.is_file():
            module, _, name = module.rpartition(".")
            file = LIBRARY.joinpath(*module.split(".")[1:]).with_suffix(".py")
        assert file.is_file(), f"{path.name} names {module}"
        if name:
            found = re.search(rf"^(?:class|def) {name}\b", file.read_text(), re.MULTILINE)
            assert found, f"{path.name} names {module}.{name}"


def test_packages_say_what_they_are() -> None:
    for path in LIBRARY.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"
    assert importlib.util.find_spec("sociolect") is not None
