"""Ids of authors, and what is masked."""

from __future__ import annotations

import pytest

from sociolect.dumps.personal import MASKS, author_id, is_bot, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Mail uwe.b+x@mail.example.org, please.", "Mail [EMAIL], please."),
        ("+44 20 7946 0958 or (555) 123-4567 or 555-123-4567", "[PHONE] or [PHONE] or [PHONE]"),
        ("call 0171 1234567.", "call [PHONE]."),
        ("+442079460958, +1-800-555-1000 or +420 600 000 123", "[PHONE], [PHONE] or [PHONE]"),
        ("ask @Élodie, @Ju\u0308rgen or @_x", "ask @[USER], @[USER] or @[USER]"),
        ("as @joe_b said, and u/some-one, /u/Other too", "as @[USER] said, and u/[USER], u/[USER] too"),
    ],
)
def test_what_is_masked(text: str, masked: str) -> None:
    assert mask(text, MASKS)[0] == masked


@pytest.mark.parametrize(
    "text",
    [
        "3.14159265358979",
        "from 1914-1918 to 1939-1945",
        "2019-12-31",
        "192.168.100.200",
        "a @ b",
        "1,234,567,890 m",
        "r/physics, you/me",
        "+15000 votes, +1500000, +1 500 000, +150.000.000",
        "+12345 views, +10 15 20 on 300",
        "due @9am",
    ],
)
def test_what_is_not(text: str) -> None:
    assert mask(text, MASKS) == (text, {"email": 0, "phone": 0, "user": 0})


def test_only_what_is_chosen_is_masked() -> None:
    assert mask("@joe, a@b.org", ["email"]) == ("@joe, [EMAIL]", {"email": 1})
    assert mask("@joe, a@b.org", []) == ("@joe, a@b.org", {})


def test_ids_of_authors_follow_from_name_and_salt_and_do_not_show_them() -> None:
    one = author_id("Joe", "salt")
    assert one == author_id("Joe", "salt") and one is not None and len(one) == 18
    assert len({one, author_id("Joe", "other"), author_id("joe", "salt")}) == 3
    assert author_id("", "salt") is None


def test_bots() -> None:
    assert is_bot("AutoModerator") and is_bot("remindme_BOT") and not is_bot("robotics_fan") and not is_bot("")
