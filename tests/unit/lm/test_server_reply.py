"""Replies of servers: their text without thoughts, and those that are none."""

from __future__ import annotations

from typing import Any

import pytest

from chat_servers import said
from sociolect.lm.server_reply import ReplyError, read_reply

CHANNELS = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>"


@pytest.mark.parametrize(
    ("content", "more", "text", "thoughts"),
    [
        ("The author uses dashes.", {}, "The author uses dashes.", False),
        # the server parts them, under one of two names
        ("Dashes.", {"reasoning_content": "Hm."}, "Dashes.", True),
        ("Dashes.", {"reasoning": "Hm."}, "Dashes.", True),
        # it does not: opened by the answer, by the prompt, twice, never closed, by channels
        ("<think>Hm.</think>\n\nDashes.", {}, "Dashes.", True),
        ("Hm.</think>\n\nDashes.", {}, "Dashes.", True),
        ("<think>Hm.</think><think>Hm!</think>Dashes.", {}, "Dashes.", True),
        ("<think>Hm. Hm", {}, "", True),
        (CHANNELS.format("Dashes."), {}, "Dashes.", True),
        ("<|channel|>analysis<|message|>Hm", {}, "", True),
        # a marker further on is text
        ("The author uses <think> tags.", {}, "The author uses <think> tags.", False),
        (None, {"reasoning_content": "Hm."}, "", True),
        ([{"type": "text", "text": "Da"}, {"type": "text", "text": "shes."}], {}, "Dashes.", False),
        ("half a letter \ud83d", {}, "half a letter ?", False),
    ],
)
def test_the_text_is_the_final_part(content: Any, more: dict[str, Any], text: str, thoughts: bool) -> None:
    reply = read_reply(said(content, **more).body)
    assert (reply.text, reply.thoughts) == (text, thoughts)


def test_why_it_ended_is_the_servers_word() -> None:
    assert read_reply(said("a", "length").body).finish_reason == "length"
    assert read_reply(said("a", None).body).finish_reason == "stop"
    bare = read_reply({"choices": [{"message": {"content": "a"}}], "usage": {"prompt_tokens": None}})
    assert (bare.model, bare.fingerprint, bare.prompt_tokens) == ("", "", 0)


@pytest.mark.parametrize("body", [None, [], {}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": "a"}]}])
def test_what_is_no_reply_is_refused(body: Any) -> None:
    with pytest.raises(ReplyError, match="an answer without choices"):
        read_reply(body)
    with pytest.raises(ReplyError, match=r"without choices \(lost upstream\)"):
        read_reply({"error": {"message": "lost\n upstream"}})
