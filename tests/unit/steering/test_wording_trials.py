"""Wordings of the instructions: which are tried, what is asked, and that the one that works is chosen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from conftest import ROOT
from sociolect.common.errors import InputError
from sociolect.common.progress import Report
from sociolect.common.schemas import UNSTEERED
from sociolect.lm.prompts import Prompts
from sociolect.lm.requests import Request, Result
from sociolect.lm.wording_files import Instructions
from sociolect.lm.wordings import ChatWording, Wording, open_wording
from sociolect.scratch.tokenizer import train_tokenizer
from sociolect.settings.generation import GenerationSettings
from sociolect.settings.models import ScratchTokenizer
from sociolect.steering.sweep import Outcome
from sociolect.steering.trials import TOPIC
from sociolect.steering.wording_trials import best_wording, read_instructions, wording_outcomes
from spoken import spaced_tokenizer

PLAIN = Instructions(group_instruction="You are {group} .", attributes_instruction="Use {attribute} .")
CLEAR = Instructions(group_instruction="Write like {group} !", attributes_instruction="Use {attribute} .")
WRONG = Instructions(group_instruction="Never write like {group} .", attributes_instruction="Use {attribute} .")
SAID = "You are Write like Never write Use x y dots dashes Why not What ? . !"


@pytest.fixture(scope="module")
def wording() -> Wording:
    return ChatWording(train_tokenizer([SAID], ScratchTokenizer()), Prompts(**PLAIN.model_dump()))


def write(folder: Path, values: object) -> Path:
    path = folder / "w.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


# the file


def test_the_configured_wording_is_the_first(tmp_path: Path, wording: Wording) -> None:
    path = write(tmp_path, {"wordings": [CLEAR.model_dump(), WRONG.model_dump()]})
    assert read_instructions(path, wording) == [PLAIN, CLEAR, WRONG]
    assert read_instructions(write(tmp_path, {"wordings": []}), wording) == [PLAIN]
    # a document's is its own
    document = open_wording(spaced_tokenizer(), "document")
    assert read_instructions(path, document)[0].group_instruction == document.prompts.group_instruction


def test_the_wordings_of_the_project_differ_and_fit_chats_and_documents() -> None:
    files = (ROOT / f"workflow/prompts/{name}.yaml" for name in ("conditions", "document"))
    chat_file, document_file = files
    for style in ("chat", "document"):
        configured = open_wording(spaced_tokenizer(), style, chat_file, document_file)
        found = read_instructions(ROOT / "workflow/prompts/wordings.yaml", configured)
        assert len({one.group_instruction for one in found}) == len(found) > 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"wordings": [CLEAR.model_dump(), {**WRONG.model_dump(), "group_instruction": "Write."}]},
            r"w\.yaml: line \d+, key 'wordings\.1\.group_instruction': must contain {group}$",
        ),
        (
            {"wordings": [{**CLEAR.model_dump(), "attributes_instruction": "Use {group}."}]},
            r"w\.yaml: line \d+, key 'wordings\.0\.attributes_instruction': must contain {attribute}$",
        ),
        (
            {"wordings": [{**CLEAR.model_dump(), "x": "y"}]},
            r"w\.yaml: line 4, key 'wordings\.0\.x': there is no such key; known keys",
        ),
        ({"wordings": [], "more": []}, r"w\.yaml: line 1, key 'more': there is no such key"),
        # a wording that stands beside the list would be read by nobody
        ({"wordings": [], "group_instruction": "{group}"}, r"line 1, key 'group_instruction': there is no such key"),
        ({"wordings": [{"group_instruction": "{group}"}]}, r"key 'wordings\.0\.attributes_instruction': required"),
        ({}, r"w\.yaml: key 'wordings': required"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, wording: Wording, values: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as raised:
        read_instructions(write(tmp_path, values), wording)
    assert "\n" not in str(raised.value)


# the trials


class Obliging:
    """Writes in the style that it is told to, by the one wording that it understands; else in none."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self.asked = tokenizer, list[Request]()

    def generate(self, requests: Sequence[Request], progress: Report | None = None) -> Iterator[Result]:
        self.asked += requests
        for request in reversed(requests):
            prompt = self.tokenizer.decode(request.prompt_token_ids, skip_special_tokens=True)
            told = [group for group in "xy" if f"Write like {group}" in prompt]
            yield Result(request.id, (), f" style {told[0]}" if told else " nothing", "stop")


def judge(texts: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
    """The style that is named last; the topic of all is x."""
    return {"sfam": [text[-1] if "style" in text else None for text in texts], TOPIC: ["x"] * len(texts)}


UNSTEERED_ANSWERS = UNSTEERED.frame(
    [
        # question_id, question, group, cross, rank, prompt, seed, text, n_tokens, log_perplexity
        ("q1", "Why ?", "x", "y", 0, "bare 1", 11, "style x", 2, 1.0),
        ("q2", "What ?", "x", "y", 1, "bare 2", 12, "nothing", 2, 1.0),
        ("q3", "Why not ?", "y", "x", 0, "bare 3", 13, "nothing", 2, 1.0),
    ]
)
STYLES = {"x": ["dots"], "y": ["dashes", "dots"]}
SETTINGS = GenerationSettings(max_new_tokens=5, temperature=0.5, top_p=0.9)


def outcomes(
    wording: Wording, found: Sequence[Instructions], settings: GenerationSettings = SETTINGS
) -> tuple[list[Outcome], Obliging, list[str]]:
    backend, measured = Obliging(wording.tokenizer), list[str]()

    def perplexity(prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        measured.extend(prompts)
        return np.array([3.0 if "style" in text else 1.0 for text in texts])

    made = wording_outcomes(found, UNSTEERED_ANSWERS, STYLES, wording, backend, settings, judge, perplexity)  # type: ignore[arg-type]
    return made, backend, measured


def test_outcomes_by_what_the_prompt_says(wording: Wording) -> None:
    (plain, clear, wrong), _, measured = outcomes(wording, [PLAIN, CLEAR, WRONG])
    # who was in x's style before is no longer
    assert (plain.gain_own, plain.gain_cross, plain.n) == (pytest.approx(-1 / 3), 0.0, 6)
    # all come to their target, one of which was there
    assert (clear.gain_own, clear.gain_cross, clear.hit_rate) == (pytest.approx(2 / 3), 1.0, 1.0)
    assert (plain.log_perplexity, clear.log_perplexity) == (1.0, 3.0)
    # by a word that is not heard
    assert wrong == plain
    # fluency is that of the text after the bare question, whatever was asked
    assert measured == ["bare 1", "bare 2", "bare 3"] * 6


def test_what_is_asked_differs_in_its_wording_alone(wording: Wording) -> None:
    _, backend, _ = outcomes(wording, [PLAIN, CLEAR])
    prompts = [wording.tokenizer.decode(request.prompt_token_ids) for request in backend.asked]
    first, second = prompts[:6], prompts[6:]
    for old, new in zip(first, second, strict=True):
        assert old.replace("You are x .", "Write like x !").replace("You are y .", "Write like y !") == new != old
    # own targets, then others, with the attributes of the target
    expected = [
        ("x", "Why ?"),
        ("x", "What ?"),
        ("y", "Why not ?"),
        ("y", "Why ?"),
        ("y", "What ?"),
        ("x", "Why not ?"),
    ]
    for prompt, (target, question) in zip(first, expected, strict=True):
        named = "Use dots ." if target == "x" else "Use dashes . Use dots ."
        assert f"You are {target} . {named}" in prompt and question in prompt
    # the draws are those of the unsteered answers
    assert [request.seed for request in backend.asked] == [11, 12, 13] * 4
    assert {(r.max_new_tokens, r.temperature, r.top_p, r.steer, r.stop) for r in backend.asked} == {
        (5, 0.5, 0.9, None, ())
    }
    _, cut, _ = outcomes(wording, [PLAIN], SETTINGS.model_copy(update={"max_question_chars": 3}))
    assert not any("?" in wording.tokenizer.decode(request.prompt_token_ids) for request in cut.asked)


def test_documents_are_ended_and_read_as_documents() -> None:
    wording, told = open_wording(spaced_tokenizer(), "document"), list[str]()
    backend = Obliging(wording.tokenizer)

    def record(texts: Sequence[str]) -> Mapping[str, Sequence[str | None]]:
        told.extend(texts)
        return judge(texts)

    def flat(prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        return np.ones(len(texts))

    wording_outcomes([PLAIN], UNSTEERED_ANSWERS, STYLES, wording, backend, SETTINGS, record, flat)  # type: ignore[arg-type]
    assert {request.stop for request in backend.asked} == {wording.stop} and wording.stop
    assert told[6:] == ["nothing"] * 6, "without the space after Answer:"


# the choice


def outcome(own: float, cross: float = 0.5) -> Outcome:
    return Outcome(6, 0.0, 0.0, own, cross, 0.25, None, 0.0, 1.0)


@pytest.mark.parametrize(("gains", "best"), [((0.1, 0.3, 0.2), 1), ((0.2, 0.2, 0.1), 0), ((-1.0, -0.5, -0.5), 1)])
def test_the_wording_that_gains_most_is_chosen_and_the_first_of_several(gains: tuple[float, ...], best: int) -> None:
    found = [PLAIN, CLEAR, WRONG]
    choice = best_wording(found, [outcome(gain) for gain in gains])
    assert (choice["number"], choice["chosen"]) == (best, found[best].model_dump())
    assert [one["gain"] for one in choice["tried"]] == [pytest.approx((gain + 0.5) / 2) for gain in gains]
    assert [one["group_instruction"] for one in choice["tried"]] == [one.group_instruction for one in found]
    first = choice["tried"][0]
    assert (first["n"], first["gain_own"], first["topic_loss"], first["log_perplexity"]) == (6, gains[0], 0.25, None)
    # own targets are half of it
    assert best_wording(found, [outcome(0.4, 0.0), outcome(0.2, 0.3), outcome(0.3, 0.1)])["number"] == 1
    # a choice that cannot be written is none
    assert json.loads(json.dumps(choice)) == choice


def test_what_works_is_chosen(wording: Wording) -> None:
    found = [PLAIN, WRONG, CLEAR]
    assert best_wording(found, outcomes(wording, found)[0])["chosen"] == CLEAR.model_dump()
