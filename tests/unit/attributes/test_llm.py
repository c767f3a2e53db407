"""The describer that asks a model, and its prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from sociolect.attributes import llm
from sociolect.attributes.description_prompts import DescriptionPrompts, cut_text, read_description_prompts
from sociolect.attributes.llm import describe_answers
from sociolect.common.errors import InputError
from sociolect.lm.requests import Request, Result
from sociolect.settings.attributes import DescriptionSettings

PROMPTS = DescriptionPrompts.model_validate(
    {
        "version": 3,
        "system": "S",
        "task": "Reply.",
        "prompts": [
            {"id": "open", "kind": "open", "text": "{answer} How? {task}"},
            {"id": "tone", "kind": "targeted", "text": "Tone of {answer}?"},
        ],
    }
)
SETTINGS = DescriptionSettings(max_new_tokens=8, max_prompt_chars=30)


def encode(system: str | None, user: str) -> list[int]:
    return [ord(c) for c in f"{system}|{user}"]


class Player:
    """Plays back a text that tells what it was asked; stops dead after `budget` requests."""

    tokenizer: Any = None
    context = end_token = None
    guides = False

    def __init__(self, budget: int = 10**9, one_queue: bool = False) -> None:
        self.one_queue = one_queue
        self.ends: set[int] = set()
        self.asked: list[str] = []
        self.stops: set[tuple[str, ...]] = set()
        self.budget = budget

    def info(self) -> dict[str, Any]:
        return {}

    def generate(self, requests: Sequence[Request], progress: Any = None) -> Iterator[Result]:
        self.stops |= {request.stop for request in requests}
        for request in reversed(requests):
            if len(self.asked) == self.budget:
                raise KeyboardInterrupt
            assert request.temperature == 0 and request.max_new_tokens == 8
            prompt = "".join(map(chr, request.prompt_token_ids))
            self.asked.append(prompt)
            word = "dashes" if "Tone" in prompt else f"words like {prompt[2:4]}"
            yield Result(request.id, (), f"Sure.\nThe author uses {word}.", "stop")

    def close(self) -> None:
        pass


def test_llm_asks_every_question_once_and_keeps_what_was_said(tmp_path: Path) -> None:
    player = Player()
    said = describe_answers(["a{task}", "bb", "a{task}"], PROMPTS, player, encode, SETTINGS, tmp_path, "m")
    assert sorted(player.asked) == ["S|Tone of a{task}?", "S|Tone of bb?", "S|a{task} How? Reply.", "S|bb How? Reply."]
    assert said[1] == [
        ("open@3", "Sure.", None),
        ("open@3", "The author uses words like bb.", "words like bb"),
        ("tone@3", "Sure.", None),
        ("tone@3", "The author uses dashes.", "dashes"),
    ]
    assert said[0] == said[2]


@pytest.mark.parametrize("queue", [False, True])
def test_llm_goes_on_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: bool) -> None:
    monkeypatch.setattr(llm, "PIECE", 3)
    answers = [f"{i:02d}" * (1 + i % 3) for i in range(10)]
    whole = describe_answers(answers, PROMPTS, Player(one_queue=queue), encode, SETTINGS, tmp_path / "whole", "m")
    cache = tmp_path / "cache"
    with pytest.raises(KeyboardInterrupt):
        describe_answers(answers, PROMPTS, Player(8, queue), encode, SETTINGS, cache, "m")
    rest = Player(one_queue=queue)
    assert describe_answers(answers, PROMPTS, rest, encode, SETTINGS, cache, "m") == whole
    assert len(rest.asked) == 20 - 6, "two pieces of three were done, the one under way is lost"
    # nothing is asked twice; a broken piece, more answers and another model are
    done = Player(one_queue=queue)
    assert describe_answers(answers, PROMPTS, done, encode, SETTINGS, cache, "m") == whole and not done.asked
    broken = sorted(cache.glob("*.parquet"))[0]
    broken.write_bytes(broken.read_bytes()[:100])
    assert describe_answers(answers, PROMPTS, done, encode, SETTINGS, cache, "m") == whole
    assert len(done.asked) in (2, 3)
    more = Player(one_queue=queue)
    describe_answers([*answers, "new"], PROMPTS, more, encode, SETTINGS, cache, "m")
    assert len(more.asked) == 2
    other = Player(one_queue=queue)
    describe_answers(answers, PROMPTS, other, encode, SETTINGS, cache, "other model")
    assert len(other.asked) == 20


def test_long_answers_are_cut_to_limit_and_context(tmp_path: Path) -> None:
    player = Player()
    describe_answers(["word " * 40], PROMPTS, player, encode, SETTINGS, tmp_path, "m", context=40)
    assert all(len(prompt) + 8 <= 40 and "word" in prompt for prompt in player.asked)
    assert cut_text("aaaa bbbb cccc", 10) == "aaaa bbbb" and cut_text("a" * 20, 10) == "a" * 10
    with pytest.raises(InputError, match=r"prompt 'open' has 13 tokens without an answer.* model's 20"):
        describe_answers(["word"], PROMPTS, player, encode, SETTINGS, tmp_path, "m", context=20)


def test_stop_strings_go_with_every_request_and_other_ones_ask_again(tmp_path: Path) -> None:
    players = [Player(), Player(), Player()]
    for player, stop in zip(players, (("\n\n",), ("\n\n",), ("END",)), strict=True):
        describe_answers(["a"], PROMPTS, player, encode, SETTINGS, tmp_path, "m", stop=stop)
    assert [len(player.asked) for player in players] == [2, 0, 2]
    assert players[0].stops == {("\n\n",)} and players[2].stops == {("END",)}


def test_prompt_files(tmp_path: Path) -> None:
    prompts = read_description_prompts(ROOT / "workflow" / "prompts" / "describe.yaml")
    assert {p.kind for p in prompts.prompts} == {"open", "targeted"} and len(prompts.prompts) >= 4
    turn = prompts.user_turn(prompts.prompts[0], "braces {task} {answer} stay")
    assert "braces {task} {answer} stay" in turn and '"The author uses X."' in turn
    taught = read_description_prompts(ROOT / "workflow" / "prompts" / "conditions.yaml")
    assert [p.id for p in taught.prompts] == ["taught"]
    file = tmp_path / "p.yaml"
    for text, message in (
        ("version: 1\nprompts: [{id: a, kind: open, text: x}]", r"prompt 'a' must contain \{answer\} exactly once"),
        ("version: 1\nprompts: [{id: a, kind: odd, text: '{answer}'}]", r"key 'prompts.0.kind'"),
        ("version: 1\nprompts: [" + "{id: a, kind: open, text: '{answer}'}, " * 2 + "]", "two prompts have the id 'a'"),
        ("prompts: [", "not YAML"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=f"p.yaml: .*{message}"):
            read_description_prompts(file)
    with pytest.raises(InputError, match=r"none\.yaml: no such file; set description\.prompt_file"):
        read_description_prompts(tmp_path / "none.yaml")
