"""What a measure points at is what it counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sociolect.stylometry.features import INDEX, measure_texts
from sociolect.stylometry.spans import POINTED, measures_that_point, spans_of

TEXT = (
    "Perhaps it\u2019s sort of red\u2014we don't know. The cat was quickly taken; e.g. by Dr. Who!\r\n"
    "1. See https://example.org/a?b=1 (the WHO, etc.)\n2) well-known-to-all, cheap, and good:\n"
    "\u2022 \U0001f600 In 1999 it cost $ 1,200.50... \u201cno way\u201d"
)


def shown(text: str, measure: str) -> list[str]:
    return [text[start:end] for start, end in spans_of(text).get(measure, [])]


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("hedges", ["Perhaps", "sort of"]),
        ("contractions", ["it\u2019s", "don't"]),
        ("negated", ["don't", "no"]),
        # from the form of be to the participle, over the adverb between
        ("passive", ["was quickly taken"]),
        ("initial_the", ["The"]),
        ("capital_words", ["WHO"]),
        ("parentheses", ["(the WHO, etc.)"]),
        ("abbreviations", ["e.g.", "etc"]),
        ("links", ["https://example.org/a?b=1"]),
        # in a link there is neither question nor slash
        ("question", []),
        ("slashes", []),
        ("numbered_items", ["1. ", "2) "]),
        ("numbers", ["1999", "1,200.50"]),
        ("currency", ["$ 1,200.50"]),
        ("bullets", ["\u2022 "]),
        ("hyphenated", ["well-known-to-all"] * 3),
        ("comma_before_and", [", and "]),
        ("colon_line_ends", [":"]),
        # behind a character that JavaScript counts twice, places are still those of characters
        ("emoticons", ["\U0001f600"]),
        ("quoted", ["\u201cno way\u201d"]),
        ("dashes", ["\u2014"]),
        ("ellipsis", ["..."]),
    ],
)
def test_a_measure_points_at_the_words_and_marks_that_it_counts(measure: str, words: list[str]) -> None:
    assert shown(TEXT, measure) == words


def differing(text: str) -> dict[str, tuple[int, float]]:
    """Measures whose number of spans is not what they count in the text."""
    row, found = measure_texts([text])[0], spans_of(text)
    n_words = row[INDEX["paragraph_mean"]] * row[INDEX["paragraphs"]]
    pairs = {name: (len(found.get(name, [])), row[INDEX[name]] * n_words / 100) for name in POINTED}
    # of a list that letters number, marks.py takes as many figures away
    lettered = pairs["numbers"][0] > pairs["numbers"][1] and pairs["numbered_items"][0]
    return {
        name: pair for name, pair in pairs.items() if not np.isclose(*pair) and not (name == "numbers" and lettered)
    }


PIECES = st.sampled_from(
    [
        *("the ", "The ", "We ", "was ", "taken ", "quickly ", "Perhaps ", "sort ", "of ", "don't ", "it\u2019s "),
        *("etc. ", "Mr. ", "e.g. ", "U.S. ", "WHO ", "(WHO) ", "well-known-to-all ", "New York ", "a, b, and c "),
        *("amongst ", "add ", "1. ", "2) ", "\n1. ", "\n2. ", "\na) ", "\n- ", "\n* ", " * ", "\u2022 ", "12,5 % "),
        *("$5 ", "1999 ", "per cent ", "?!", "... ", ". . . ", "\u2026", " - ", "--", "\u2014", ": ", ":\n", ";"),
        *(":-) ", "<3 ", "\U0001f600 ", "\r\n", "\n\n", "http://a.b/c?d-e ", "www.x.org) ", '"quoted" '),
        *("'so so' ", "\u201cno\u201d ", "a/b ", "(open ", "((twice)) ", "x = y^2 "),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_there_are_as_many_spans_as_counts(text: str) -> None:
    assert differing(text) == {}
    assert all(0 <= start < end <= len(text) for spans in spans_of(text).values() for start, end in spans)


def test_what_is_cut_out_of_a_text_moves_nothing() -> None:
    # a link, a line end of two characters and a full stop that ends no sentence stand before what is found
    text = "It is --www.x.org) so.\r\nMr. Maybe!"
    # the blank that stands for the link makes a dash of the two hyphens
    assert differing(text) == {} and len(shown(text, "dashes")) == 1
    assert [shown(text, measure) for measure in ("hedges", "exclamation", "links")] == [["Maybe"], ["!"], ["www.x.org"]]


def test_nothing_points_where_no_word_is() -> None:
    assert spans_of("... !?") == spans_of("") == {}


def test_lengths_and_what_is_rare_point_at_nothing() -> None:
    known = measures_that_point()
    assert known["hedging words"] == "hedges" and known["dense numerical detail"] == "numbers"
    assert not {"long sentences", "short words", "mostly lower case letters", "a varied vocabulary"} & set(known)
