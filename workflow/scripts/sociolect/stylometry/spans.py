"""Where in a text a measure points: the words and marks that it counts.

As `features` and `marks` count, so this finds, with their own word lists and patterns: a measure has as many spans as
it has counts (of figures beside a list that letters number it may have more). Lengths, and what holds where little is
found, point at nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from sociolect.stylometry import features as f
from sociolect.stylometry import lexicons as lex
from sociolect.stylometry import marks as m
from sociolect.stylometry.style_attributes import ATTRIBUTES

__all__ = ["POINTED", "Span", "measures_that_point", "spans_of"]

Span = tuple[int, int]
# what is made of a whole text
_OF_ALL = {"sentence_mean", "word_mean", "paragraphs", "paragraph_mean", "paragraph_sentences", "variety", "once_used"}
POINTED = frozenset(f.MEASURES) - _OF_ALL

_RAW_MARKS = {
    "curly": re.compile("[\u2018\u2019\u201c\u201d]"),
    "straight": re.compile("['\"]"),
    "quoted": m._QUOTED,
}
# a bracket with what it holds is easier to see than the bracket
_TEXT_MARKS = {
    "exclamation": re.compile("!"),
    "semicolons": re.compile(";"),
    "slashes": re.compile("/"),
    "parentheses": re.compile(r"\((?:[^()\n]{0,200}\))?"),
    "question": m._QUESTION,
    "ellipsis": m._ELLIPSIS,
    "dashes": m._DASH,
    "hyphenated": m._HYPHENATED,
    "emoticons": m._EMOTICON,
    "acronyms": m._ACRONYM,
    "symbols": m._SYMBOLS,
    "names_after_the": m._NAME_AFTER_THE,
    "capital_pairs": m._PAIR_OF_CAPITALS,
}
_WITH_FIGURES = {
    "years": m._YEAR,
    "currency": m._CURRENCY,
    "percent": re.compile("%|per cent"),
}
# part of a word, or of a sum, in sight as a whole
_WIDER = {
    "hyphenated": re.compile(r"[\w'-]+"),
    "names_after_the": re.compile(r"[\w'-]+"),
    "currency": re.compile(r"[$\u00a3\u20ac] ?[\d.,]*\d"),
}


def measures_that_point() -> dict[str, str]:
    """Attribute -> measure, of the attributes whose words or marks can be shown: those that hold where a measure is
    high. What only syntax tells is not among them."""
    return {a.name: a.measure for a in ATTRIBUTES if a.direction == "high" and a.measure in POINTED}


def spans_of(text: str) -> dict[str, list[Span]]:
    """Measure -> where it counts in the text, as (start, end) in characters, ascending; without what is not there.

    Example:
        >>> spans_of("Perhaps. We went!")["hedges"]
        [(0, 7)]
    """
    found: dict[str, list[Span]] = {}

    def add(where: _Placed, pairs: Iterable[tuple[str, Span]]) -> None:
        for measure, (start, end) in pairs:
            found.setdefault(measure, []).append((where.places[start], where.places[end - 1] + 1))

    whole = _Placed(text.replace("\u2019", "'").replace("\u2018", "'"), range(len(text)))
    whole = whole.changed(re.compile("\r\n"), lambda end: "\n")
    # as features cuts them out
    bare = whole.changed(f._URL, lambda link: " ")
    plain = bare.changed(f._DOTTED, lambda dotted: dotted[0].replace(".", " "))
    plain = plain.changed(f._SHORTENED, lambda short: short[0][:-1])
    sentences = list(_sentences(plain.text))
    if not sentences:
        return {}
    for tokens in sentences:
        add(plain, _in_sentence(tokens))
    found["abbreviations"] = list(found.get("abbreviation_words", []))
    add(whole, (("links", link.span()) for link in f._URL.finditer(whole.text)))
    add(bare, (("abbreviations", dotted.span()) for dotted in f._DOTTED.finditer(bare.text)))
    add(bare, _in_marks(bare.text))
    for measure, pattern in _RAW_MARKS.items():
        found[measure] = [mark.span() for mark in pattern.finditer(text)]
    return {measure: sorted(spans) for measure, spans in found.items() if spans}


@dataclass(frozen=True)
class _Placed:
    """A changed text, and where each of its characters stood in the text that was given."""

    text: str
    places: Sequence[int]

    def changed(self, pattern: re.Pattern[str], put: Callable[[re.Match[str]], str]) -> _Placed:
        """With every match replaced by something that is not longer, which stands where the match began."""
        pieces: list[str] = []
        places: list[int] = []
        last = 0
        for found in pattern.finditer(self.text):
            new = put(found)
            pieces += [self.text[last : found.start()], new]
            places += [*self.places[last : found.start()], *self.places[found.start() : found.start() + len(new)]]
            last = found.end()
        if not last:
            return self
        return _Placed("".join([*pieces, self.text[last:]]), [*places, *self.places[last:]])


def _sentences(plain: str) -> Iterator[list[re.Match[str]]]:
    """Words of each sentence that has some."""
    start = 0
    for end in [*f._SENTENCE_END.finditer(plain), None]:
        stop = end.start() if end else len(plain)
        # words alone: a sentence's end is none of them
        if tokens := list(f._WORD.finditer(plain, start, stop)):
            yield tokens
        start = end.end() if end else stop


def _in_sentence(tokens: Sequence[re.Match[str]]) -> Iterator[tuple[str, Span]]:
    """Measures of one sentence's words, phrases, passives and first word, as `features._count_sentence` counts them."""
    words = [_word(token[0]) for token in tokens]
    lowers = [word.lower for word in words]
    be: re.Match[str] | None = None
    for i, (word, token) in enumerate(zip(words, tokens, strict=True)):
        for index in word.counts:
            yield f.MEASURES[index], token.span()
        for rest, index in word.phrases:
            if lowers[i + 1 : i + 1 + len(rest)] == rest:
                yield f.MEASURES[index], (token.start(), tokens[i + len(rest)].end())
        if word.role == f._PARTICIPLE and be:
            yield "passive", (be.start(), token.end())
        if word.role != f._SKIP:
            be = token if word.role == f._BE else None
        if word.capitalised and i > 0:
            yield "capitalised", token.span()
    first, span = lowers[0], tokens[0].span()
    if first in lex.COORDINATORS:
        yield "initial_conjunction", span
    elif first in ("the", "we"):
        yield f"initial_{first}", span
    if first in lex.IMPERATIVE_VERBS:
        yield "imperative", span


@cache
def _word(spelling: str) -> f._Word:
    return f._look_up(spelling)


def _in_marks(text: str) -> Iterator[tuple[str, Span]]:
    """Punctuation, digits and layout, as `marks.count_marks` counts them in a text without links."""
    for measure, pattern in _TEXT_MARKS.items():
        yield from ((measure, _wide(measure, found, text)) for found in pattern.finditer(text))
    yield from (("bullets", found.span()) for found in m._LINE_BULLET.finditer(text))
    if "*" in text or not text.isascii():
        yield from (("bullets", found.span()) for found in m._INLINE_BULLET.finditer(text))
    yield from _figures(text)
    if " and " in text and "," in text:
        yield from (("series", found.span()) for found in m._SERIES.finditer(text))
        yield from (("comma_before_and", found.span()) for found in re.finditer(", and ", text))
    for line in re.finditer(r"[^\n]+", text):
        if (shown := line[0].rstrip()).endswith(":"):
            yield "colon_line_ends", (line.start() + len(shown) - 1, line.start() + len(shown))


def _figures(text: str) -> Iterator[tuple[str, Span]]:
    """Numbers, and the lists that they number."""
    items = [found.span() for found in m._LINE_NUMBER.finditer(text)]
    numbers = [found.span() for found in m._NUMBER.finditer(text)]
    if numbers:
        inline = _inline_items(text)
        items = inline if len(inline) > len(items) else items
        for measure, pattern in _WITH_FIGURES.items():
            yield from ((measure, _wide(measure, found, text)) for found in pattern.finditer(text))
    starts = [start for start, _ in items]
    for start, end in numbers:
        item = bisect_right(starts, start) - 1
        if item < 0 or start >= items[item][1]:
            yield "numbers", (start, end)
    yield from (("numbered_items", span) for span in items)


def _inline_items(text: str) -> list[Span]:
    found: list[Span] = []
    for marker in m._INLINE_NUMBER.finditer(text):
        if int(marker.group(1)) == len(found) + 1:
            found.append(marker.span())
    return found if len(found) > 1 else []


def _wide(measure: str, found: re.Match[str], text: str) -> Span:
    """The span of a mark, or of the words that it stands in."""
    start, end = found.span()
    if measure in _WIDER:
        while measure == "hyphenated" and start > 0 and (text[start - 1].isalnum() or text[start - 1] in "'-"):
            start -= 1
        whole = _WIDER[measure].match(text, end - 1 if measure != "currency" else start)
        end = max(end, whole.end()) if whole else end
    return start, end
