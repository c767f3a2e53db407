"""Ten lines with plain transformers: the tokens are those of the run, at all positions; nothing for other modes."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from spoken_kit import QUESTION, choice_of, kit_in

from conftest import ROOT
from sociolect.export.example_code import steering_code
from sociolect.export.kit import Kit, answer_twice

TEMPLATE = ROOT / "workflow/export/steer_plainly.py.j2"
pytestmark = pytest.mark.usefixtures("one_thread")


def code_for(kit: Kit, group: str) -> str | None:
    return steering_code(TEMPLATE, kit, str(kit.model), str(kit.vectors), group, QUESTION)


@pytest.mark.parametrize("positions", ["all", "last", "generated"])
def test_plain_transformers_says_the_same(tmp_path: Path, positions: str, capsys: pytest.CaptureFixture[str]) -> None:
    kit = kit_in(tmp_path, choice_of(positions=positions))
    said = set()
    for group in ("blue", "red"):
        code, names = code_for(kit, group), dict[str, Any]()
        assert code is not None
        exec(code, names)
        wanted = answer_twice(kit, group, QUESTION)["steered"]
        # the run cuts what a stop string or an end token ends
        assert tuple(names["answer"].tolist()[: len(wanted.token_ids)]) == wanted.token_ids
        assert capsys.readouterr().out == f"{wanted.text}\n"
        said.add(wanted.token_ids)
    assert len(said) == 2


def test_names_and_questions_are_written_as_they_are(tmp_path: Path) -> None:
    kit, odd = kit_in(tmp_path, choice_of()), 'Café \U0001f600 "x\\y"\n'
    code = steering_code(TEMPLATE, kit, odd, odd, odd, odd)
    assert code is not None
    texts = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    # the model twice, vectors, group; the question within its prompt
    assert texts.count(odd) == 4 and sum(odd in text for text in texts if isinstance(text, str)) == 5


def test_what_is_more_than_an_addition_has_no_such_lines(tmp_path: Path) -> None:
    for mode in ("rotate", "adaptive"):
        assert code_for(kit_in(tmp_path / mode, choice_of(mode)), "red") is None
