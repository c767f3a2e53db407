"""Reading what a describer said: sentences of a closed set of forms, each to one canonical attribute.

A sentence is read in one of these forms, whatever the case, with bullet, number and final period left aside; PERSON is
the author, this author, the writer or you; TEXT is this text, the answer, the author's writing and the like:

    PERSON (often) uses | employs | writes in | relies on ... X       -> X
    TEXT uses | contains | includes | is written in ... X             -> X
    PERSON or TEXT has | shows | adopts ... X, where X ends in tone, style, vocabulary ...   -> X
    PERSON is ADJECTIVES                                              -> a(n) ADJECTIVES tone
    TEXT is ADJECTIVES                                                -> a(n) ADJECTIVES style
    the author's, the text's or the TRAIT is ADJECTIVES, TRAIT being tone, grammar ...       -> a(n) ADJECTIVES TRAIT

ADJECTIVES are one to three words joined by commas and "and". Every other sentence is unparsed: it is kept and counted,
never guessed at. In particular "does not use", "rarely uses" and "avoids" are not read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from sociolect.attributes.wording import canonical
from sociolect.common.schemas import SENTENCES

Said = tuple[str, str, str | None]  # prompt id, sentence, attribute

_BULLET = re.compile(r"^\s*(?:[-*+\u2022\u2013\u2014>#]+\s*|\(?\d{1,3}[.):]\s*|\(?[a-z][.)]\s+)*")
# not after the number or letter of a list
_SPLIT = re.compile(r"(?:(?<=[^\W\d]{2}[.!?])|(?<=[)'\"][.!?]))\s+(?=(?:The|This|They|You|It)\b)")
_PERSON = r"(?:(?:the|this) (?:author|writer|speaker)|they|you)"
_NOUN = r"(?:writing style|writing|style|text|passage|answer|response|prose|post|paragraph)"
_OWNER = r"(?:(?:the|this) (?:author|writer|text|passage|answer|response)'s|their|your|its|the|this)"
_TEXT = rf"(?:{_OWNER} {_NOUN}|it)"
_OFTEN = r"(?:(?:also|often|frequently|regularly|generally|usually|mostly|mainly|consistently|sometimes) )*"
_USES = (
    r"(?:uses?|used|(?:is|are) using|employs?|employed|utili[sz]es?|makes? use of|relies on|rely on|tends? to use|"
    r"writes? in|writes? with|favou?rs?|prefers?|incorporates?)"
)
_CONTAINS = r"(?:contains?|includes?|features?|is written in|is written with|consists of)"
_HAS = r"(?:has|have|shows?|displays?|exhibits?|adopts?|maintains?|conveys?)"
_COUNTED = r"(?:tone|style|writing style|voice|register|vocabulary|sentence structure|structure|manner|attitude)"
_MASS = r"(?:writing|language|grammar|punctuation|spelling|syntax|diction|word choice|capitalization|formatting)"
_DEGREE = r"(?:(?:very|quite|highly|rather|somewhat|fairly|mostly|generally|often|overall) )*"
_NO_ADJECTIVE = r"(?:not|no|never|an?|the|in|on|to|by|with|of|from|using|written|based|about|unclear|unknown)"
_WORD = rf"(?!{_NO_ADJECTIVE}\b)[a-z]+(?:-[a-z]+)*"
_ADJECTIVES = rf"{_DEGREE}{_WORD}(?:(?:, and |, | and ){_WORD}){{0,2}}"


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"{pattern}\s*[.;!]*", re.IGNORECASE)


_PHRASES = (
    _form(rf"{_PERSON} {_OFTEN}{_USES} (?P<x>.+?)"),
    _form(rf"{_TEXT} {_OFTEN}(?:{_USES}|{_CONTAINS}) (?P<x>.+?)"),
    _form(rf"(?:{_PERSON}|{_TEXT}) {_OFTEN}{_HAS} (?P<x>.+? (?:{_COUNTED}|{_MASS}))"),
)
_TRAITS = _form(rf"{_OWNER} (?P<trait>{_COUNTED}|{_MASS}) (?:is|are) (?P<x>{_ADJECTIVES})")
_QUALITIES = (
    (_form(rf"{_PERSON} (?:is|are) (?P<x>{_ADJECTIVES})"), "tone"),
    (_form(rf"{_TEXT} is (?P<x>{_ADJECTIVES})"), "style"),
)


def parse_sentence(sentence: str) -> str | None:
    """The canonical attribute X of a sentence in one of the forms above; None for any other.

    Example:
        >>> parse_sentence("2. The author often uses Short  sentences.")
        'short sentences'
        >>> parse_sentence("The author's tone is informal and friendly.")
        'an informal and friendly tone'
    """
    text = " ".join(_BULLET.sub("", sentence).replace("\u2019", "'").replace("*", " ").split())
    for form in _PHRASES:
        if found := form.fullmatch(text):
            return _usable(found["x"])
    if found := _TRAITS.fullmatch(text):
        trait = found["trait"].lower()
        return _usable(_with_article(found["x"], trait) if re.fullmatch(_COUNTED, trait) else f"{found['x']} {trait}")
    for form, noun in _QUALITIES:
        if found := form.fullmatch(text):
            return _usable(_with_article(found["x"], noun))
    return None


def parse_output(text: str, truncated: bool) -> list[tuple[str, str | None]]:
    """The sentences of one answer of a model, as said, each with its attribute or None.

    A line may hold several sentences. Repeated sentences count once. Where the answer was cut off at the token
    limit, its last sentence is not read unless it is whole.
    """
    sentences = [s.strip() for line in text.splitlines() for s in _SPLIT.split(line) if s.strip()]
    said: dict[str, str | None] = {}
    for number, sentence in enumerate(sentences, start=1):
        cut = truncated and number == len(sentences) and not text.endswith("\n") and sentence[-1] not in ".!?"
        said.setdefault(sentence, None if cut else parse_sentence(sentence))
    return list(said.items())


def read_outputs(prompt_ids: Sequence[str], outputs: Sequence[tuple[str, bool]]) -> list[Said]:
    """What was said of one answer.

    Args:
        prompt_ids: of the questions, in order.
        outputs: for each what the model said, and whether it was cut off at the token limit.
    """
    return [
        (prompt_id, sentence, attribute)
        for prompt_id, (text, truncated) in zip(prompt_ids, outputs, strict=True)
        for sentence, attribute in parse_output(text, truncated)
    ]


def sentence_table(chosen: pl.DataFrame, said: Sequence[Sequence[Said]], describer: str) -> pl.DataFrame:
    """What was said as a frame of schema SENTENCES, in the order of `chosen`.

    Args:
        chosen: answers from `choose_answers`.
        said: for each of them (prompt id, sentence, attribute or None); for an answer about which nothing was said one
            row with an empty sentence stands, so that it counts among the described ones.
        describer: prompt id of such a row.
    """
    rows = [
        (a["answer_id"], a["split"], a["group"], a["author"], a["part"], *one)
        for a, of_answer in zip(chosen.iter_rows(named=True), said, strict=True)
        for one in (of_answer or [(describer, "", None)])
    ]
    return SENTENCES.frame(rows)


def _usable(phrase: str) -> str | None:
    attribute = canonical(phrase)
    return attribute if re.search(r"[^\W\d_]", attribute) else None


def _with_article(adjectives: str, noun: str) -> str:
    words = adjectives.lower()
    vowel = re.match(r"[aeio]|u(?!ni|se|su|ti)|hon|heir", words) and not re.match(r"eu|once?\b|one-", words)
    return f"{'an' if vowel else 'a'} {words} {noun}"
