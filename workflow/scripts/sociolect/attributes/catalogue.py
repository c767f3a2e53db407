"""From sentences about style to the catalogue: canonical form, rejections, near duplicates, provenance.

The catalogue is built from train only. Val and test sentences are mapped onto it afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer

from sociolect.attributes.wording import author_sentence, you_sentence
from sociolect.common.errors import InputError
from sociolect.common.schemas import CATALOGUE, CATALOGUE_FUNNEL
from sociolect.settings.attributes import CatalogueSettings

_NEGATION = re.compile(
    r"\b(?:not|no|never|without|none|nor|neither|nothing|cannot|lacks?|lacking|lacked|absence|absent|devoid)\b|n't\b",
    re.IGNORECASE,
)
_QUOTATION = re.compile(r"[\"`\u00ab\u00bb\u201c-\u201f]|(?<!\w)'[^']+'(?!\w)")
# Words that turn an attribute into another one although most letters stay: these never make near duplicates.
_CONTRASTS = re.compile(
    r"\b(?:first|second|third|singular|plural|definite|indefinite|active|passive|present|past|future|shorter|short|longer"
    r"|long|brief|simple|complex|formal|informal|casual|positive|negative|high|low|upper|lower|many|few|more|fewer|less"
    r"|very|strong|weak|frequent|occasional|rare|common|uncommon|proper|improper|correct|incorrect|standard|nonstandard"
    r"|direct|indirect|personal|impersonal|subjective|objective|numbered|near|far|British|American|\d+)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:preposition|conjunction|pronoun|article|word|verb|letter) ([a-z]+)\b"
    r"|\bthe (?:determiner|adverb|adjective) ([a-z]+)$",
    re.IGNORECASE,
)
_PART_OF_SPEECH = (
    r"\b(noun|verb|adjective|adverb|pronoun|preposition|determiner|auxilia|conjunction|subordinator|coordinator"
    r"|numeral|interjection|article|particle|punctuation mark)(?:s|ry|ries)?\b"
)
_PARTS_OF_SPEECH = re.compile(_PART_OF_SPEECH, re.IGNORECASE)
# their order is what they are about
_FOLLOWED = re.compile(rf"{_PART_OF_SPEECH} followed by (?:an? |the )?(?:proper )?{_PART_OF_SPEECH}", re.IGNORECASE)
_NGRAMS = (3, 5)
_BLOCK = 256


def build_catalogue(sentences: pl.DataFrame, settings: CatalogueSettings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Reject, merge near duplicates, order by frequency, number.

    Rules in order: unparseable, too_long, non_ascii, negation, reject_word, quotation, too_rare, too_frequent,
    near_duplicate, too_frequent_merged, beyond_maximum. Frequency is the share of the described train authors; an
    answer whose author is unknown counts as an author of its own. Of two near duplicates the rarer one goes, and what
    was said with it is credited to the one that is kept, which may then be too frequent itself.

    Args:
        sentences: frame of schema SENTENCES; only its train rows are looked at.
        settings: bounds, words and the cosine of near duplicates.

    Returns:
        (catalogue, funnel). In the funnel "unparseable" counts distinct sentences, every other rule attributes.

    Raises:
        InputError: no train row, or fewer than two attributes are left.
    """
    train = sentences.filter(pl.col("part") == "train").with_columns(author_key=_author_key())
    if train.is_empty():
        raise InputError("the sentences have no row of part train; describe train answers first")
    n_authors = train["author_key"].n_unique()
    unparsed = train.filter(pl.col("attribute").is_null() & (pl.col("sentence") != ""))["sentence"].unique().sort()
    left = {
        e.attribute: e for e in map(_entry, train.filter(pl.col("attribute").is_not_null()).partition_by("attribute"))
    }
    funnel = _Funnel()
    funnel.add("unparseable", unparsed.to_list(), len(left))
    for rule, rejects in _rules(settings, n_authors):
        left = funnel.apply(rule, left, rejects)
    merged_into = near_duplicates({a: len(e.authors) for a, e in left.items()}, settings.near_duplicate)
    for dropped, kept in sorted(merged_into.items()):
        left[kept].credit(left[dropped])
    left = funnel.apply("near_duplicate", left, lambda e: e.attribute in merged_into)
    left = funnel.apply("too_frequent_merged", left, lambda e: len(e.authors) / n_authors > settings.max_share)
    ranked = sorted(left, key=lambda a: (-len(left[a].authors), a))
    beyond = set(ranked[settings.max_attributes :])
    left = funnel.apply("beyond_maximum", left, lambda e: e.attribute in beyond)
    if len(left) < 2:
        raise InputError(
            f"{len(left)} attributes are left of what was said of the {n_authors} described train authors, at least 2 "
            f"are needed ({funnel.counts()}); describe more answers, or change the rule that rejects most"
        )
    return _catalogue([left[a] for a in ranked if a in left], n_authors), funnel.frame()


def near_duplicates(frequency: Mapping[str, int], threshold: float) -> dict[str, str]:
    """Which attribute is merged into which more frequent one.

    Cosine of TF-IDF over character 3- to 5-grams above `threshold`. Attributes that differ in a word of contrast
    (first / third, singular / plural, short / long, many, ...), in a digit, in a part of speech, in what follows what
    or in the word that they name ("the preposition of" / "the preposition in") are never duplicates, however few
    letters tell them apart.

    Args:
        frequency: attribute -> how many have it; of two the rarer goes, of equals the later in the alphabet.

    Returns:
        dropped attribute -> kept attribute (the most similar of those kept).
    """
    names = sorted(frequency, key=lambda a: (-frequency[a], a))
    if len(names) < 2:
        return {}
    # Spaces at both ends make one-letter attributes yield an n-gram, too.
    tfidf = TfidfVectorizer(analyzer="char", ngram_range=_NGRAMS, lowercase=True, sublinear_tf=True).fit_transform(
        [f"  {name}  " for name in names]
    )
    contrast = [_contrast(name) for name in names]
    merged: dict[str, str] = {}
    for start in range(0, len(names), _BLOCK):
        cosines = np.round((tfidf[start : start + _BLOCK] @ tfidf.T).toarray(), 9)
        for i in range(start, min(start + _BLOCK, len(names))):
            similar = [
                j
                for j in np.flatnonzero(cosines[i - start, :i] > threshold)
                if names[j] not in merged and contrast[j] == contrast[i]
            ]
            if similar:
                merged[names[i]] = names[max(similar, key=lambda j: (cosines[i - start, j], -j))]
    return merged


@dataclass
class _Entry:
    """One attribute with its provenance."""

    attribute: str
    authors: set[str]
    answers: set[str]
    sentences: set[str]
    prompts: set[str]

    def credit(self, other: _Entry) -> None:
        self.authors |= other.authors
        self.answers |= other.answers
        self.sentences |= other.sentences
        self.prompts |= other.prompts


def _entry(rows: pl.DataFrame) -> _Entry:
    return _Entry(
        rows["attribute"][0],
        set(rows["author_key"]),
        set(rows["answer_id"]),
        set(rows["sentence"]),
        set(rows["prompt_id"]),
    )


def _author_key() -> pl.Expr:
    # two prefixes: an author may be called like an answer
    return pl.coalesce("author:" + pl.col("author"), "answer:" + pl.col("answer_id"))


@dataclass
class _Funnel:
    rows: list[tuple[str, int, int, str | None]] = field(default_factory=list)

    def add(self, rule: str, rejected: Sequence[str], n_left: int) -> None:
        self.rows.append((rule, len(rejected), n_left, min(rejected) if rejected else None))

    def apply(self, rule: str, entries: dict[str, _Entry], rejects: Callable[[_Entry], bool]) -> dict[str, _Entry]:
        rejected = [a for a, e in entries.items() if rejects(e)]
        kept = {a: e for a, e in entries.items() if a not in set(rejected)}
        self.add(rule, rejected, len(kept))
        return kept

    def counts(self) -> str:
        return ", ".join(f"{rule} {n}" for rule, n, _, _ in self.rows if n)

    def frame(self) -> pl.DataFrame:
        return CATALOGUE_FUNNEL.frame(self.rows)


def _rules(settings: CatalogueSettings, n_authors: int) -> list[tuple[str, Callable[[_Entry], bool]]]:
    words = "|".join(re.escape(word) for word in settings.reject_words)
    reject = re.compile(rf"\b(?:{words})\b" if words else r"(?!)", re.IGNORECASE)
    return [
        ("too_long", lambda e: len(e.attribute) > settings.max_chars),
        ("non_ascii", lambda e: not e.attribute.isascii()),
        ("negation", lambda e: _NEGATION.search(e.attribute) is not None),
        ("reject_word", lambda e: reject.search(e.attribute) is not None),
        ("quotation", lambda e: _QUOTATION.search(e.attribute) is not None),
        ("too_rare", lambda e: len(e.authors) / n_authors < settings.min_share),
        ("too_frequent", lambda e: len(e.authors) / n_authors > settings.max_share),
    ]


def _contrast(attribute: str) -> frozenset[str]:
    contrasts = {word.lower() for word in _CONTRASTS.findall(attribute)}
    contrasts |= {f"named {first or second}".lower() for first, second in _NAMED.findall(attribute)}
    contrasts |= {f"{first} before {second}".lower() for first, second in _FOLLOWED.findall(attribute)}
    return frozenset(contrasts | {part.lower() for part in _PARTS_OF_SPEECH.findall(attribute)})


def _catalogue(entries: Sequence[_Entry], n_authors: int) -> pl.DataFrame:
    digits = max(3, len(str(len(entries) - 1)))
    rows = [
        {
            "attribute_id": f"a{number:0{digits}d}",
            "attribute": entry.attribute,
            "author_sentence": author_sentence(entry.attribute),
            "you_sentence": you_sentence(entry.attribute),
            "n_answers": len(entry.answers),
            "n_authors": len(entry.authors),
            "share": len(entry.authors) / n_authors,
            "answer_ids": sorted(entry.answers),
            "raw_sentences": sorted(entry.sentences),
            "prompt_ids": sorted(entry.prompts),
        }
        for number, entry in enumerate(entries)
    ]
    return CATALOGUE.frame(rows)
