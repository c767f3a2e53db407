"""The describer that asks a server: what it sends, what it keeps, and when it stops paying."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from chat_servers import Reply, chat_server, refused, said
from sociolect.attributes.description_prompts import DescriptionPrompts
from sociolect.attributes.reply_journal import KeptReply, ReplyJournal
from sociolect.attributes.served import describe_by_server
from sociolect.common.errors import InputError
from sociolect.lm.chat_server import ChatServer
from sociolect.lm.server_reply import ServerReply
from sociolect.settings.attributes import DescriptionSettings
from sociolect.settings.server import ServerSettings

PROMPTS = DescriptionPrompts.model_validate(
    {
        "version": 3,
        "system": "S",
        "prompts": [
            {"id": "open", "kind": "open", "text": "{answer} How?"},
            {"id": "tone", "kind": "targeted", "text": "Tone of {answer}?"},
        ],
    }
)
SETTINGS = DescriptionSettings(max_new_tokens=8, max_prompt_chars=30)
ANSWERS = [f"{n} {'a' * n}" for n in range(12)]


def play(body: dict[str, Any], number: int = 0) -> Reply:
    """A text that tells what was asked."""
    asked = body["messages"][-1]["content"]
    return said(f"Sure.\nThe author uses {'dashes' if 'Tone' in asked else 'words like ' + asked.split()[0]}.")


def describe(address: str, cache: Path, answers: list[str] = ANSWERS, seed: int = 5, **server: Any) -> Any:
    settings = ServerSettings(**{"address": address, "model": "tiny", "attempts": 3, **server})
    client = ChatServer(settings, None, pace=0.01)
    try:
        return describe_by_server(answers, PROMPTS, client, SETTINGS, cache, seed)
    finally:
        client.close()


def test_every_question_is_a_chat_asked_once_and_read_as_of_any_model(tmp_path: Path) -> None:
    texts = ["a{task}", "b " * 40, "a{task}"]
    with chat_server(play) as told:
        found, who = describe(told.address, tmp_path, texts, extra={"top_k": 1, "seed": None})
    assert len(told.bodies) == 4 and set(told.paths) == {"/v1/chat/completions"}
    body = next(b for b in told.bodies if b["messages"][1]["content"] == "Tone of a{task}?")
    turns = [{"role": "system", "content": "S"}, {"role": "user", "content": "Tone of a{task}?"}]
    # null takes a field out
    assert body == {"model": "tiny", "messages": turns, "max_tokens": 8, "temperature": 0.0, "top_k": 1}
    assert (
        found[0]
        == found[2]
        == [
            ("open@3", "Sure.", None),
            ("open@3", "The author uses words like a{task}.", "words like a{task}"),
            ("tone@3", "Sure.", None),
            ("tone@3", "The author uses dashes.", "dashes"),
        ]
    )
    assert max(len(b["messages"][1]["content"]) for b in told.bodies) <= 30 + len("Tone of ?")
    assert who["answered_by"] == [
        {"address": told.address, "model": "tiny-2026-01-01", "fingerprint": "fp_7", "prompts": 4}
    ]
    assert who["tokens"] == {"prompt": 44, "new": 20} and who["finish_reasons"] == {"stop": 4}


def test_temperature_and_seed_are_sent(tmp_path: Path) -> None:
    with chat_server(play) as told:
        describe(told.address, tmp_path, ["a"], seed=2**40 + 3)
    assert {(b["temperature"], b["seed"]) for b in told.bodies} == {(0.0, 3)}


def test_so_many_requests_are_under_way_and_no_more(tmp_path: Path) -> None:
    met = threading.Barrier(3)

    def together(body: dict[str, Any], number: int) -> Reply:
        # the first is sent alone; then three at once, or the barrier breaks
        if 1 <= number <= 21:
            met.wait(timeout=20)
        return play(body)

    with chat_server(together) as told:
        describe(told.address, tmp_path, concurrency=3)
    assert len(told.bodies) == 24 and told.most == 3


def test_what_was_answered_is_never_asked_again(tmp_path: Path) -> None:
    with chat_server(play) as told:
        whole, _ = describe(told.address, tmp_path / "whole")
    with chat_server(lambda body, number: play(body) if number < 9 else refused(400, "enough")) as told:
        with pytest.raises(InputError, match="enough"):
            describe(told.address, tmp_path / "cache", concurrency=2)
        # those under way when one fails are waited for, and no new one is sent
        answered = len(ReplyJournal(tmp_path / "cache/server.jsonl").kept)
        assert answered == 9 and len(told.bodies) <= 11
    journal = tmp_path / "cache/server.jsonl"
    # killed while it wrote
    journal.write_bytes(journal.read_bytes()[:-20])
    # the server has moved
    with chat_server(play) as told:
        found, who = describe(told.address, tmp_path / "cache")
        assert len(told.bodies) == 24 - 8 and found == whole
        assert sorted(one["prompts"] for one in who["answered_by"]) == [8, 16]
        describe(told.address, tmp_path / "cache", concurrency=1)
        assert len(told.bodies) == 24 - 8
        # what decides an answer asks anew
        for other in ({"model": "small"}, {"extra": {"top_k": 1}}, {"seed": 6}):
            before = len(told.bodies)
            describe(told.address, tmp_path / "cache", ["one"], **other)
            assert len(told.bodies) == before + 2


def test_a_model_that_says_nothing_is_not_paid_thousands_of_times(tmp_path: Path) -> None:
    with chat_server(lambda body, number: said("<think>Hm", "length")) as told:
        with pytest.raises(InputError, match=r"first 20 answers are empty \(ended by length 20 times\)"):
            describe(told.address, tmp_path, concurrency=2)
        assert len(told.bodies) <= 21
    # some empty ones among others are answers
    with chat_server(lambda body, number: said("" if number % 2 else "The author uses dashes.")) as told:
        found, _ = describe(told.address, tmp_path / "other", concurrency=1)
    assert found[0] == [("open@3", "The author uses dashes.", "dashes")]


def test_a_sentence_cut_off_at_the_limit_is_not_read(tmp_path: Path) -> None:
    with chat_server(lambda body, number: said("The author uses dashes.\nThe author uses comm", "length")) as told:
        found, who = describe(told.address, tmp_path, ["a"])
    assert [attribute for _, _, attribute in found[0]] == ["dashes", None] * 2
    assert who["finish_reasons"] == {"length": 2}


def test_a_server_that_changes_on_the_way_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def changing(body: dict[str, Any], number: int) -> Reply:
        reply = play(body)
        reply.body["system_fingerprint"] = f"fp_{number // 12}"
        return reply

    with chat_server(changing) as told:
        _, who = describe(told.address, tmp_path)
    assert [one["fingerprint"] for one in who["answered_by"]] == ["fp_0", "fp_1"]
    assert "the server changed while it was asked: 2 models or versions answered" in caplog.text


def test_a_journal_survives_what_a_kill_leaves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "deep/server.jsonl"
    one, two = (KeptReply(ServerReply(text, "stop"), "http://a/v1") for text in ("“one”\n", "two"))
    journal = ReplyJournal(path)
    journal.add("1", one)
    journal.add("2", two)
    for cut in range(len(path.read_bytes().splitlines(keepends=True)[1])):
        copy = tmp_path / f"{cut}.jsonl"
        copy.write_bytes(path.read_bytes().splitlines(keepends=True)[0] + path.read_bytes().splitlines()[1][:cut])
        again = ReplyJournal(copy)
        again.add("2", two)
        assert ReplyJournal(copy).kept == {"1": one, "2": two}
    assert "lines are not whole; they are asked anew" in caplog.text
    assert all(json.loads(line) for line in path.read_text().splitlines())
