"""Declared flags: every rule has what its program declares, and a program that draws says so."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sociolect.common.digests import SCRIPTS
from sociolect.common.flags import Flags, declared_flags, flag_of

PROGRAMS = sorted(p for p in SCRIPTS.glob("*.py") if p.stem != "start_program")


def test_flags_are_read_from_the_call(tmp_path: Path) -> None:
    program = tmp_path / "x.py"
    program.write_text("run_program(main, 'x', S, inputs=['a*', 'b_c?'], outputs=['d'], seeded=True)\n")
    assert declared_flags(program) == Flags(("a", "b_c"), ("d",), (), True)
    assert flag_of("b_c?") == "--b-c"


@pytest.mark.parametrize(
    "text",
    [
        "names = ['a']\nrun_program(main, 'x', S, inputs=names)\n",
        "print('no program')\n",
        "run_program(main, 'x', S, ['a'])\n",
        "run_program(main, 'x', S, **MORE)\n",
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    program = tmp_path / "x.py"
    program.write_text(text)
    with pytest.raises(LookupError, match=re.escape(str(program))):
        declared_flags(program)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_a_program_that_draws_says_so(program: Path) -> None:
    """Its rule passes a seed only then; without it all runs would draw alike."""
    used = {
        node.attr
        for node in ast.walk(ast.parse(program.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "job"
    }
    assert declared_flags(program).seeded == bool(used & {"run_seed", "seed"})
