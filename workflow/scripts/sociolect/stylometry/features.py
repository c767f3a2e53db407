"""Style measures of a text: one tokenisation, then rates per 100 words, mean lengths and shares.

The measures are those of register analysis and of authorship attribution (Biber 1988; Stamatatos 2009,
A Survey of Modern Authorship Attribution Methods); none of them looks at what a text is about.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sociolect.stylometry import lexicons as lex
from sociolect.stylometry.marks import MARKS, count_marks

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_URL = re.compile(r"(?:https?://|www\.)[^\s)>\]]+")
# Full stops that end no sentence. The second kind is counted, if at all, by the list of abbreviations.
_DOTTED = re.compile(r"\b(?:[A-Za-z]\.){2,}")
_SHORTENED = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|Hon|Rt|St|Jr|etc|vs|approx|dept|min|max|est|incl)\.")
_SENTENCE_END = re.compile(r"(?<=[.!?\u2026])[\"')\]\u201d*]*\s+|\s*\n\s*")
_PARAGRAPH = re.compile(r"\n\s*\n")
_ISE = re.compile(r"is(?:e|ed|es|ing|ation|ations)$")

_NOMINAL = tuple(
    ["tion", "sion", "ment", "ness", "ity", "ance", "ence", "tions", "sions", "ments", "ities", "ances", "ship"]
)
_LATINATE = tuple(["ous", "ive", "ate", "ify", "able", "ible", "ical", "ial", "ary", "ure", "ent", "ant"])
_CONTRACTED = ("n't", "'re", "'ve", "'ll", "'d", "'m")
_BE, _PARTICIPLE, _SKIP, _OTHER = range(4)

_LEXICAL = tuple(sorted(set(lex.WORDS) | set(lex.PHRASES)))
_FORMS = (
    *("capital_words", "capitalised", "nominalisation", "latinate", "ly_adverbs", "ing_words", "ed_words"),
    *("long_words", "contractions", "ise_spelling", "passive", "plural_s", "imperative"),
    *("initial_conjunction", "initial_the", "initial_we"),
)
_LENGTHS = (
    *("sentence_mean", "word_mean", "paragraphs", "paragraph_mean", "paragraph_sentences", "variety"),
    "once_used",
)
MEASURES: tuple[str, ...] = _LEXICAL + _FORMS + MARKS + _LENGTHS
INDEX: dict[str, int] = {name: i for i, name in enumerate(MEASURES)}


@dataclass(frozen=True, slots=True)
class _Word:
    """What one spelling counts for, looked up once per call."""

    lower: str
    counts: tuple[int, ...]
    phrases: tuple[tuple[list[str], int], ...]
    role: int
    capitalised: bool


def _word_table() -> dict[str, tuple[int, ...]]:
    table: dict[str, list[int]] = {}
    for measure, words in lex.WORDS.items():
        for word in words.split():
            table.setdefault(word, []).append(INDEX[measure])
    return {word: tuple(found) for word, found in table.items()}


def _phrase_table() -> dict[str, tuple[tuple[list[str], int], ...]]:
    table: dict[str, list[tuple[list[str], int]]] = {}
    for measure, phrases in lex.PHRASES.items():
        for phrase in phrases:
            first, *rest = phrase.split()
            table.setdefault(first, []).append((rest, INDEX[measure]))
    return {word: tuple(found) for word, found in table.items()}


_BY_WORD = _word_table()
_BY_FIRST = _phrase_table()


def _forms_of(word: str, lower: str) -> list[str]:
    """Measures that a word's form decides: its case, its ending, its length."""
    forms = []
    size = len(lower)
    if size > 1 and word.isupper():
        forms.append("capital_words")
    if size > 6 and lower.endswith(_NOMINAL):
        forms.append("nominalisation")
    elif size > 6 and lower.endswith(_LATINATE):
        forms.append("latinate")
    if size > 4 and lower.endswith("ly") and lower not in lex.NOT_ADVERBS:
        forms.append("ly_adverbs")
    elif size > 5 and lower.endswith("ing"):
        forms.append("ing_words")
    elif size > 4 and lower.endswith("ed") and lower not in lex.NOT_PARTICIPLES:
        forms.append("ed_words")
    elif size > 4 and lower.endswith("s") and not lower.endswith(("ss", "us", "is", "'s")):
        forms.append("plural_s")
    if size >= 9:
        forms.append("long_words")
    if size > 5 and _ISE.search(lower):
        forms.append("ise_spelling")
    if lower.endswith(_CONTRACTED) or lower in lex.CONTRACTED_IS:
        forms.append("contractions")
    return forms


def _role_of(lower: str) -> int:
    """A word's part in the pattern "form of be, (adverb), participle" of the passive."""
    if lower in lex.BE_FORMS:
        return _BE
    ends_in_ed = len(lower) > 3 and lower.endswith("ed") and lower not in lex.NOT_PARTICIPLES
    if ends_in_ed or lower in lex.PARTICIPLES:
        return _PARTICIPLE
    if lower in ("not", "also", "already") or (len(lower) > 4 and lower.endswith("ly")):
        return _SKIP
    return _OTHER


def _look_up(word: str) -> _Word:
    lower = word.lower()
    counts = list(_BY_WORD.get(lower, ()))
    if not counts and lower.endswith("n't"):
        counts = [*_BY_WORD.get(lower[:-3], ()), INDEX["negated"]]
    elif not counts and "'" in lower:
        counts = list(_BY_WORD.get(lower.split("'")[0], ()))
    counts += [INDEX[form] for form in _forms_of(word, lower)]
    capitalised = word[0].isupper() and word != "I" and not lower.startswith("i'")
    return _Word(lower, tuple(counts), _BY_FIRST.get(lower, ()), _role_of(lower), capitalised)


def _count_sentence(sentence: Sequence[_Word], lowers: list[str], row: list[float]) -> None:
    """Add one sentence's words, phrases, passives and first word to the counts in `row`."""
    after_be = False
    for position, word in enumerate(sentence, start=1):
        for index in word.counts:
            row[index] += 1
        for rest, index in word.phrases:
            if lowers[position : position + len(rest)] == rest:
                row[index] += 1
        role = word.role
        if role == _PARTICIPLE and after_be:
            row[INDEX["passive"]] += 1
        if role != _SKIP:
            after_be = role == _BE
        # A sentence's first word is capitalised in any style.
        if word.capitalised and position > 1:
            row[INDEX["capitalised"]] += 1
    first = lowers[0]
    if first in lex.COORDINATORS:
        row[INDEX["initial_conjunction"]] += 1
    elif first == "the":
        row[INDEX["initial_the"]] += 1
    elif first == "we":
        row[INDEX["initial_we"]] += 1
    if first in lex.IMPERATIVE_VERBS:
        row[INDEX["imperative"]] += 1


def _lengths(words: list[str], sentences: int, paragraphs: int) -> dict[str, float]:
    size = len(words)
    seen = Counter(words)
    return {
        "sentence_mean": size / sentences,
        "word_mean": sum(map(len, words)) / size,
        "paragraphs": float(paragraphs),
        "paragraph_mean": size / paragraphs,
        "paragraph_sentences": sentences / paragraphs,
        # Herdan's C: unlike the type-token ratio it hardly falls with the length of the text.
        "variety": math.log(len(seen)) / math.log(size) if size > 1 else 0.0,
        "once_used": list(seen.values()).count(1) / size,
    }


def _measure(raw: str, memo: dict[str, _Word]) -> list[float]:
    row = [0.0] * len(MEASURES)
    text = raw.replace("\u2019", "'").replace("\u2018", "'").replace("\r\n", "\n")
    links = dotted = 0
    if "http" in text or "www." in text:
        text, links = _URL.subn(" ", text)
    plain = text
    if "." in text:
        plain, dotted = _DOTTED.subn(lambda found: found.group().replace(".", " "), plain)
        plain = _SHORTENED.sub(lambda found: found.group()[:-1], plain)
    words: list[str] = []
    sentences = 0
    for chunk in _SENTENCE_END.split(plain):
        tokens = _WORD.findall(chunk)
        if not tokens:
            continue
        for token in tokens:
            if token not in memo:
                memo[token] = _look_up(token)
        sentence = [memo[token] for token in tokens]
        lowers = [word.lower for word in sentence]
        _count_sentence(sentence, lowers, row)
        words += lowers
        sentences += 1
    if not words:
        return row
    per_100_words = 100.0 / len(words)
    row = [per_100_words * count for count in row]
    marks = count_marks(raw, text)
    marks["links"], marks["abbreviations"] = links, dotted
    for name, count in marks.items():
        row[INDEX[name]] = per_100_words * count
    row[INDEX["abbreviations"]] += row[INDEX["abbreviation_words"]]
    paragraphs = sum(bool(block.strip()) for block in _PARAGRAPH.split(text))
    for name, value in _lengths(words, sentences, max(1, paragraphs)).items():
        row[INDEX[name]] = value
    return row


def measure_texts(texts: Sequence[str]) -> np.ndarray:
    """Style measures of texts, float64 [n, len(MEASURES)].

    Words and marks are counted per 100 words; lengths are in words (of a word: in letters) or in sentences;
    the variety of the vocabulary and the share of words used once are in [0, 1]. A text without a word has
    zeros only.
    """
    memo: dict[str, _Word] = {}
    rows = np.empty((len(texts), len(MEASURES)), dtype=np.float64)
    for i, text in enumerate(texts):
        rows[i] = _measure(text, memo)
    return rows
