"""What tells who wrote: author ids that cannot be read back without the salt, and names, addresses, numbers masked."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection

__all__ = ["MASKS", "author_id", "is_bot", "mask"]

# that follow their letter as characters of their own
_ACCENTS = "\u0300-\u036f"
# kind -> what a text must hold, what is found, and what stands in its place; in this order, as an address has an @
MASKS: dict[str, tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...]] = {
    "email": ((re.compile("@"), re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"), "[EMAIL]"),),
    "phone": (
        (
            re.compile(r"\d{3}"),
            re.compile(
                r"(?<![\w.+-])(?:"
                # +44 20 7946 0958: seven digits or more, and no count in thousands, such as +15000 or +1.500.000
                r"\+(?=(?:[ .()-]*\d){7})(?!\d{1,3}(?:[ .]?\d{3})?[ .]?000(?![ .-]?\d))"
                r"\d{1,3}(?:[ .-]?(?:\(\d{1,4}\)|\d{2,4})){2,5}"
                r"|(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"  # (555) 123-4567
                r"|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,4}"  # 0171 1234567
                r")(?![\w-]|\.\d)"
            ),
            "[PHONE]",
        ),
    ),
    "user": (
        (re.compile("@"), re.compile(rf"(?<![\w@./])@[^\W\d][\w{_ACCENTS}-]*"), "@[USER]"),
        (re.compile("u/"), re.compile(r"(?<![\w/.])/?u/[A-Za-z0-9_-]{3,20}(?![\w/])"), "u/[USER]"),
    ),
}
_DIGITS = 16


def mask(text: str, kinds: Collection[str]) -> tuple[str, dict[str, int]]:
    """The text with names, addresses and numbers masked, and how many of each kind.

    Args:
        text: any.
        kinds: keys of MASKS.
    """
    found = dict.fromkeys(kinds, 0)
    for kind, patterns in MASKS.items():
        for needed, pattern, word in patterns if kind in kinds else ():
            if needed.search(text):
                text, count = pattern.subn(word, text)
                found[kind] += count
    return text, found


def author_id(author: str, salt: str) -> str | None:
    """An id for an author, the same for the same salt; None where the author is unknown.

    Args:
        author: what tells them from others.
        salt: who knows it can try names.
    """
    if not author:
        return None
    return "u_" + hmac.new(salt.encode(), author.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def is_bot(name: str) -> bool:
    """Whether a name is that of a program: AutoModerator, or one that ends in bot."""
    lowered = name.lower()
    return lowered == "automoderator" or lowered.endswith("bot")
