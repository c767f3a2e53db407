"""Made-up English prose: sentences on a topic in a closed vocabulary, with style attributes written in."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from numpy.random import Generator

from sociolect.corpus.demo.truth import ATTRIBUTES

MIN_WORDS, MAX_WORDS = 10, 45
MAX_DRAFTS = 100

# Nothing here may carry a style attribute: no pronoun of the first or second person, digit, hedge, ...
TOPICS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "garden": (("garden", "tree", "flower", "soil", "seed"), ("green", "dry")),
    "kitchen": (("kitchen", "soup", "bread", "oven", "recipe"), ("warm", "fresh")),
    "weather": (("weather", "storm", "cloud", "rain", "wind"), ("cold", "dark")),
    "music": (("music", "song", "piano", "choir", "melody"), ("loud", "soft")),
    "travel": (("journey", "train", "map", "hotel", "bridge"), ("long", "far")),
    "school": (("school", "lesson", "teacher", "pupil", "book"), ("clear", "hard")),
    "market": (("market", "price", "seller", "basket", "coin"), ("cheap", "busy")),
    "health": (("doctor", "sleep", "walk", "body", "diet"), ("healthy", "tired")),
}
_VERBS = ("lift", "shape", "improve", "follow", "support", "cover")
_TAILS = ("", "", "", "nearby", "abroad", "indoors")
_VOWEL = re.compile(r"\b([Aa]) (?=[aeio])")
_COMMON = ("simple", "small", "handy", "modern")
_QUESTIONS = (
    "What makes a good {a}?",
    "How does the {a} {verb} the {b}?",
    "Why is the {a} so {adjective}?",
    "When should the {a} {verb} the {b}?",
    "Which {a} is the best one?",
)
_OPENERS = {
    "first person singular pronouns": ("I say", "I hear", "I claim", "my friends say"),
    "first person plural pronouns": ("we say", "we hear", "we claim", "our friends say"),
    "second person pronouns": ("you say", "you hear", "you claim", "your friends say"),
    "contractions": ("it's clear", "it's true", "that's clear", "there's hope"),
}
_HEDGES = ("perhaps", "maybe", "possibly", "probably")
_INTENSIFIERS = ("very", "really", "absolutely", "extremely")
_CONNECTIVES = ("however", "therefore", "moreover", "furthermore")
_POLITE = ("Please try the {a}.", "Please keep the {a}.", "Thanks for the {a}.")
_CAPITALS = ("AGAIN", "TWICE", "HERE", "FAST")
_SLANG = ("gonna", "kinda", "yeah", "lol")
_NUMBERS = ("3 times", "5 times", "7 times", "10 times", "12 times", "20 times")
_RHETORICAL = ("Is the {a} {adjective}?", "Does the {a} {verb} the {b}?", "Why the {a}?")


@dataclass
class _Sentence:
    """A statement, and the places where style attributes are written in."""

    subject: str
    verb: str
    object: str
    tail: str
    connective: str = ""
    opener: str = ""
    hedge: str = ""
    aside: str = ""
    adverb: str = ""
    slang: str = ""
    end: str = "."

    def text(self) -> str:
        """The statement with its end, in lower case at the start (but for the word "I")."""
        parts = [
            f"{self.connective}," if self.connective else "",
            "yeah," if self.slang == "yeah" else "",
            self.opener,
            self.hedge,
            self.subject + self.aside,
            self.adverb,
            "kinda" if self.slang == "kinda" else "",
            f"is gonna {self.verb}" if self.slang == "gonna" else self.verb + "s",
            self.object,
            self.tail,
        ]
        return " ".join(p for p in parts if p) + (", lol" if self.slang == "lol" else "") + self.end


def write_question(topic: str, rng: Generator) -> str:
    """A question on the topic. It carries no sign of a group."""
    nouns, adjectives = TOPICS[topic]
    a, b = (nouns[i] for i in rng.choice(len(nouns), 2, replace=False))
    template = _pick(rng, _QUESTIONS)
    return template.format(a=a, b=b, verb=_pick(rng, _VERBS), adjective=_pick(rng, adjectives))


def write_answer(topic: str, attributes: Set[str], rng: Generator) -> str:
    """An answer on the topic that has exactly the given style attributes.

    It has 10 to 45 words; more only where a dozen attributes and more do not fit into 45.

    Raises:
        ValueError: an attribute that cannot be written.
    """
    unknown = sorted(set(attributes) - set(ATTRIBUTES))
    if unknown:
        raise ValueError(f"cannot write the style attribute {unknown[0]!r}; use one of: {', '.join(ATTRIBUTES)}")
    drafts: list[str] = []
    while len(drafts) < MAX_DRAFTS:
        drafts.append(_VOWEL.sub(r"\1n ", _draft(topic, attributes, rng)))
        if MIN_WORDS <= len(drafts[-1].split()) <= MAX_WORDS:
            return drafts[-1]
    return min(drafts, key=lambda text: len(text.split()))


def _pick(rng: Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def _some(rng: Generator, sentences: list[_Sentence]) -> list[_Sentence]:
    """One sentence, or now and then two: an attribute that is there may show more than once."""
    count = min(len(sentences), 1 + int(rng.random() < 0.4))
    return [sentences[i] for i in sorted(rng.choice(len(sentences), count, replace=False))]


def _statement(topic: str, rng: Generator) -> _Sentence:
    nouns, adjectives = TOPICS[topic]
    a, b = (nouns[i] for i in rng.choice(len(nouns), 2, replace=False))
    subject = _pick(rng, (f"the {a}", f"a {_pick(rng, adjectives)} {a}"))
    obj = _pick(rng, (f"the {b}", f"a {_pick(rng, _COMMON)} {b}"))
    return _Sentence(subject, _pick(rng, _VERBS), obj, _pick(rng, _TAILS))


def _draft(topic: str, attributes: Set[str], rng: Generator) -> str:
    nouns, adjectives = TOPICS[topic]
    own_end = [a for a in ("exclamation marks", "ellipses", "semicolons") if a in attributes]
    sentences = [_statement(topic, rng) for _ in range(max(2, len(own_end)) + int(rng.random() < 0.3))]

    for name, place, words in (
        ("formal connectives", "connective", _CONNECTIVES),
        ("hedging words", "hedge", _HEDGES),
        ("words in capital letters", "adverb", _CAPITALS),
        ("slang words", "slang", _SLANG),
        ("numbers", "tail", _NUMBERS),
    ):
        if name in attributes:
            for sentence in _some(rng, sentences):
                setattr(sentence, place, _pick(rng, words))
    free = [sentences[i] for i in rng.permutation(len(sentences))]
    for name, words in _OPENERS.items():
        if name not in attributes:
            continue
        if not free:
            sentences.append(_statement(topic, rng))
            free.append(sentences[-1])
        free.pop().opener = _pick(rng, words)
    if "parentheses" in attributes:
        for sentence in _some(rng, sentences):
            sentence.aside = f" (a {_pick(rng, _COMMON)} {_pick(rng, nouns)})"
    if "intensifiers" in attributes:
        for sentence in _some(rng, sentences):
            adjective = _pick(rng, _COMMON + adjectives)
            sentence.object = f"a {_pick(rng, _INTENSIFIERS)} {adjective} {_pick(rng, nouns)}"

    order = [int(i) for i in rng.permutation(len(sentences))]
    if "semicolons" in attributes:
        # A semicolon needs a sentence behind it.
        sentences[order.pop(order.index(int(rng.integers(len(sentences) - 1))))].end = ";"
    for name, mark in (("exclamation marks", "!"), ("ellipses", "...")):
        if name in attributes:
            sentences[order.pop()].end = mark
            if len(order) > 1 and rng.random() < 0.5:
                sentences[order.pop()].end = mark
    return _join(topic, sentences, attributes, rng)


def _join(topic: str, sentences: list[_Sentence], attributes: Set[str], rng: Generator) -> str:
    """Statements, greeting, question, polite sentence and list, as one text."""
    nouns, adjectives = TOPICS[topic]
    parts = []
    start = "Hello, " if rng.random() < 0.5 else "Hi, "
    text = start if "greetings" in attributes else ""
    for sentence in sentences:
        words = sentence.text()
        text += words if text else words[0].upper() + words[1:]
        if sentence.end == ";":
            text += " "
            continue
        parts.append(text)
        text = ""
    if "rhetorical questions" in attributes:
        a, b = (nouns[i] for i in rng.choice(len(nouns), 2, replace=False))
        template = _pick(rng, _RHETORICAL)
        question = template.format(a=a, b=b, verb=_pick(rng, _VERBS), adjective=_pick(rng, adjectives))
        parts.insert(int(rng.integers(1, len(parts) + 1)), question)
    if "polite expressions" in attributes:
        parts.append(_pick(rng, _POLITE).format(a=_pick(rng, nouns)))
    text = " ".join(parts)
    if "bullet points" in attributes:
        items = [nouns[i] for i in rng.choice(len(nouns), 2 + int(rng.random() < 0.3), replace=False)]
        text += "".join(f"\n- the {item}" for item in items)
    return text
