"""Answering with exported vectors: token by token what the run's request gets, in every mode and at all positions."""

from __future__ import annotations

from pathlib import Path

import pytest
from spoken_kit import QUESTION, as_in_the_run, choice_of, kit_in

from sociolect.common.errors import InputError
from sociolect.export.kit import answer_twice, kit_of_export, one_of
from sociolect.lm.requests import Request
from sociolect.lm.transformers_backend import TransformersBackend

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("mode", ["add", "rotate", "adaptive"])
@pytest.mark.parametrize("positions", ["all", "last", "generated"])
def test_what_is_said_is_what_the_run_says(tmp_path: Path, mode: str, positions: str) -> None:
    choice = choice_of(mode, positions)
    kit = kit_in(tmp_path, choice)
    backend = TransformersBackend(kit.model, 500)
    wording = kit.wording(backend.tokenizer)
    ids = tuple(wording.encode(wording.render("question", QUESTION, "red", ())))
    asked = {
        group or "none": Request(group or "none", ids, 12, 0.0, 1.0, 7, steer, stop=wording.stop)
        for group, steer in ((None, None), *((g, as_in_the_run(tmp_path, choice, g)) for g in ("red", "blue")))
    }
    run = {result.id: result for result in backend.generate(list(asked.values()))}
    for group in ("red", "blue"):
        found = answer_twice(kit, group, QUESTION)
        assert found["unsteered"].token_ids == run["none"].token_ids
        assert found["steered"].token_ids == run[group].token_ids
    assert len({result.token_ids for result in run.values()}) == 3, "steering that changes nothing compares nothing"


def test_what_cannot_be_asked_is_one_line(tmp_path: Path) -> None:
    kit = kit_in(tmp_path, choice_of())
    with pytest.raises(InputError, match="GROUP 'green': no vector for it; choose one of blue, red"):
        answer_twice(kit, "green", QUESTION)
    with pytest.raises(InputError, match="PROMPT is empty"):
        answer_twice(kit, "red", " ")
    with pytest.raises(InputError, match="not an export"):
        kit_of_export(tmp_path, None, None)


def test_a_name_is_needed_only_where_there_are_several() -> None:
    assert one_of(["main"], None, "EXPERIMENT") == "main"
    assert one_of(["a", "b"], "b", "EXPERIMENT") == "b"
    for known, wanted in ((["a", "b"], None), (["a"], "c")):
        with pytest.raises(InputError, match=f"EXPERIMENT .*choose one of {', '.join(known)}"):
            one_of(known, wanted, "EXPERIMENT")
