"""The one spelling of an attribute, and its two fixed renderings."""

from __future__ import annotations

import re

_ASCII = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"})
# capitals that belong to the word, not to the start of a sentence
_PROPER = frozenset({"I", "British", "American", "English", "French", "German", "Greek", "Latin", "Spanish", "Oxford"})


def canonical(phrase: str) -> str:
    """The one spelling of an attribute X in "uses X": spaces collapsed, no final period, lower-case first letter.

    Typographic quotes and dashes become ASCII. Acronyms and a few proper adjectives ("British spelling") keep their
    capital. Applying it twice changes nothing. The result may be empty.
    """
    text = " ".join(phrase.translate(_ASCII).replace("*", " ").split()).lstrip(" _,;:-").rstrip(" _.,;:!-")
    first = re.match(r"[A-Za-z]+", text)
    if first and first[0] not in _PROPER and (first[0] == "A" or not first[0].isupper()):
        text = text[0].lower() + text[1:]
    return text


def author_sentence(attribute: str) -> str:
    """The rendering for SFAM."""
    return f"The author uses {attribute}."


def you_sentence(attribute: str) -> str:
    """The rendering for prompts and activations."""
    return f"You use {attribute}."
