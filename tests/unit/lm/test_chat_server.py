"""The client of servers: what is asked again, what is not, what is said of it, and what is never said."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

import pytest

from chat_servers import KEY, Reply, chat_server, free_address, refused, said
from sociolect.common.errors import InputError
from sociolect.lm.chat_server import ChatServer
from sociolect.lm.server_key import key_of
from sociolect.lm.server_reply import ServerReply
from sociolect.settings.server import ServerSettings

GOOD = said("The author uses dashes.")
# a fortieth of the seconds
PACE = 0.025


def asked(
    replies: Sequence[Reply], key: str | None = None, **settings: Any
) -> tuple[ServerReply | str, int, list[float]]:
    """The reply, or what the error says, of a server that gives these replies and then good ones; how many requests it
    got, and the seconds between them."""
    with chat_server(lambda body, number: replies[number] if number < len(replies) else GOOD) as told:
        server = ServerSettings(**{"address": told.address, "model": "tiny", "timeout_s": 5, "attempts": 4, **settings})
        client = ChatServer(server, key, PACE)
        try:
            found: ServerReply | str = client.ask({"messages": []})
        except InputError as error:
            found = str(error)
        client.close()
        return found, len(told.bodies), [b - a for a, b in itertools.pairwise(told.times)]


def test_a_reply_is_read_with_who_gave_it_and_what_it_took() -> None:
    found, n, _ = asked([])
    assert (found, n) == (ServerReply("The author uses dashes.", "stop", "tiny-2026-01-01", "fp_7", False, 11, 5), 1)


@pytest.mark.parametrize(
    "reply",
    [
        refused(500, "boom"),
        refused(503, "loading"),
        refused(429, "slow down"),
        Reply(GOOD.body, cut=True),
        Reply(b'{"choices": [{"mess'),
        Reply({"choices": []}),
        Reply({"error": {"message": "upstream lost"}}),
        Reply(b"<html>bad gateway</html>", 502),
        Reply(GOOD.body, after=1.0),
    ],
    ids=["500", "503", "429", "cut", "half", "no choices", "error in 200", "html", "slow"],
)
def test_what_may_pass_is_asked_again(reply: Reply) -> None:
    found, n, _ = asked([reply, reply], timeout_s=0.4 if reply.after else 5)
    assert isinstance(found, ServerReply) and found.text == "The author uses dashes." and n == 3


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (refused(401, f"wrong key {KEY[:12]}"), r"refuses the key in OPENAI_API_KEY \(401\); export the key"),
        (refused(404, "no such model"), r"no model 'tiny'.*404: no such model\); it has small, tiny; mend description"),
        (refused(400, "max_tokens unknown"), r"refuses the request \(400: max_tokens unknown\).*extra adds fields"),
        (refused(403, "not in your country"), r"does not let this account ask \(403: not in your country\)"),
        (refused(429, "no money", "insufficient_quota"), r"does not let this account ask \(429: no money\)"),
        (Reply(b"", 308, {"Location": "/v2"}), r"redirects \(308\)"),
        (
            refused(429, "tomorrow", Retry_After="86400"),
            r"asks to wait for 86400 s \(429, tomorrow\).*answered is kept",
        ),
    ],
)
def test_what_no_wait_mends_is_asked_once_and_named(reply: Reply, message: str) -> None:
    found, n, _ = asked([reply] * 9, key=KEY)
    assert isinstance(found, str) and re.search(message, found), found
    assert n == 1 and KEY[:12] not in found


def test_waits_double_and_last_as_long_as_the_server_asks() -> None:
    _, n, waits = asked([refused(500, "boom")] * 3)
    # 1, 2 and 4 s, each times 0.5 to 1
    assert n == 4 and all(0.5 * PACE * 2**i <= wait < 1.2 * PACE * 2**i + 0.15 for i, wait in enumerate(waits)), waits
    _, n, waits = asked([refused(429, "slow down", Retry_After="20")])
    assert n == 2 and 20 * PACE <= waits[0] < 20 * PACE + 0.4
    found, n, _ = asked([refused(500, "boom")] * 9)
    assert n == 4 and isinstance(found, str) and re.search(r"gave no answer, asked 4 times in \d+ s: 500, boom", found)


def test_nobody_there_is_named_in_plain_words() -> None:
    client = ChatServer(ServerSettings(address=free_address(), model="tiny", attempts=2), None, PACE)
    with pytest.raises(InputError, match=r"127.0.0.1:\d+/v1 gave no answer, asked 2 times .*: connection refused; see"):
        client.ask({})
    nowhere = ChatServer(ServerSettings(address="http://no-such-host.invalid/v1", model="tiny"), None, PACE)
    with pytest.raises(InputError, match=r"no-such-host.invalid/v1 gave no answer"):
        nowhere.ask({}, attempts=1)


def test_an_answer_about_a_refused_text_says_nothing_and_ends_nothing() -> None:
    found, n, _ = asked([refused(400, "violence", "content_filter")])
    assert (found, n) == (ServerReply("", "content_filter"), 1)


def test_the_key_is_sent_and_never_said(monkeypatch: pytest.MonkeyPatch) -> None:
    # nothing listens there: no proxy lies between this machine and itself
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with chat_server(lambda body, number: refused(400, f"you sent Bearer {KEY}")) as told:
        client = ChatServer(ServerSettings(address=told.address, model="tiny"), KEY, PACE)
        with pytest.raises(InputError, match=r"you sent Bearer \*\*\*") as caught:
            client.ask({})
        assert [h["Authorization"] for h in told.headers] == [f"Bearer {KEY}"]
        assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "said_of_it",
    [
        # a slash as PHP writes it, a plus by its number, the key where a long message is cut, a page that is no JSON
        b'{"error": {"message": "key sk-ab\\/cd\\u002bef0123 may not"}}',
        b'{"error": {"message": "' + b"x" * 290 + b'sk-ab/cd+ef0123"}}',
        b"<p>sk-ab/cd+ef0123</p>",
    ],
)
def test_the_key_is_not_said_however_a_server_writes_it(said_of_it: bytes) -> None:
    found, _, _ = asked([Reply(said_of_it, 403)], key="sk-ab/cd+ef0123")
    assert isinstance(found, str) and "403" in found and "sk-ab" not in found, found


@pytest.mark.parametrize("key", ["x", "test", "none", "1", "0"])
def test_an_answer_is_left_as_it_is_whatever_the_key_is(key: str) -> None:
    text = "The author uses complex syntax and none of the latest slang, 10 times."
    with chat_server(lambda body, number: said(text)) as told:
        client = ChatServer(ServerSettings(address=told.address, model="tiny", attempts=1), key, PACE)
        assert client.ask({"messages": []}).text == text
        client.close()


HOSTED = "https://api.example.org/v1"


@pytest.mark.parametrize(
    ("address", "variable", "environ", "key"),
    [
        (HOSTED, "OPENAI_API_KEY", {"OPENAI_API_KEY": f" {KEY}\n"}, KEY),
        ("http://localhost:8000/v1", "OPENAI_API_KEY", {}, None),
        ("http://127.0.0.1:8000/v1", "OPENAI_API_KEY", {"OPENAI_API_KEY": KEY}, KEY),
        # the key of the hosted service does not go to another machine in the clear
        ("http://node17:8000/v1", "OPENAI_API_KEY", {"OPENAI_API_KEY": KEY}, None),
        ("http://node17:8000/v1", "NODE_KEY", {"OPENAI_API_KEY": "x", "NODE_KEY": KEY}, KEY),
        (HOSTED, None, {"OPENAI_API_KEY": KEY}, None),
    ],
)
def test_a_key_goes_where_it_is_meant_to(
    address: str, variable: str | None, environ: dict[str, str], key: str | None
) -> None:
    assert key_of(ServerSettings(address=address, model="m", key_variable=variable), environ) == key


@pytest.mark.parametrize(
    ("address", "variable", "value", "message"),
    [
        (HOSTED, "OPENAI_API_KEY", "", r"no OPENAI_API_KEY; export it where you start the run.*key_variable: null"),
        ("http://localhost:1/v1", "MY_KEY", "", "no MY_KEY; export it"),
        (HOSTED, "OPENAI_API_KEY", f"{KEY} extra", "OPENAI_API_KEY holds no key: there are blanks"),
        (HOSTED, "OPENAI_API_KEY", f"{KEY}\u00e9", "OPENAI_API_KEY holds no key"),
    ],
)
def test_a_key_that_is_missing_or_none_is_named_without_it(
    address: str, variable: str, value: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        key_of(ServerSettings(address=address, model="m", key_variable=variable), {variable: value})
    assert KEY not in str(caught.value)
