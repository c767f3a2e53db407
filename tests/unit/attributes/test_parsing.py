"""Reading what was said of a style."""

from __future__ import annotations

import pytest

from made_tables import make, samples
from sociolect.attributes.parsing import parse_output, parse_sentence, sentence_table
from sociolect.attributes.wording import author_sentence, you_sentence
from sociolect.corpus.balanced import choose_answers
from sociolect.stylometry.stylometry import ATTRIBUTES


@pytest.mark.parametrize(
    ("sentence", "attribute"),
    [
        ("The author uses short sentences.", "short sentences"),
        ("- the author often uses Short  sentences", "short sentences"),
        ("12) **This author** is using contractions!", "contractions"),
        ("a) You use British spelling.", "British spelling"),
        ("The writer relies on the passive voice.", "the passive voice"),
        ("The author writes in the first person.", "the first person"),
        ("This text contains many commas.", "many commas"),
        ("The author\u2019s writing includes hedges.", "hedges"),
        ("The author is formal.", "a formal tone"),
        ("The author is very enthusiastic and friendly.", "a very enthusiastic and friendly tone"),
        ("The author's tone is informal.", "an informal tone"),
        ("The author's punctuation is sparse.", "sparse punctuation"),
        ("The writing style is academic.", "an academic writing style"),
        ("This text is unusual.", "an unusual style"),
        ("The text is unified.", "a unified style"),
        ("The author has a warm tone.", "a warm tone"),
        # not read: negated, about the content, another form, nothing left
        ("The author does not use commas.", None),
        ("The author rarely uses commas.", None),
        ("The author avoids commas.", None),
        ("The author is not formal.", None),
        ("The author is a physicist.", None),
        ("The author has experience with lasers.", None),
        ("The author is writing about lasers.", None),
        ("Here are eight sentences:", None),
        ("short sentences", None),
        ("The author uses .", None),
        ("", None),
    ],
)
def test_parse_sentence(sentence: str, attribute: str | None) -> None:
    assert parse_sentence(sentence) == attribute


def test_parse_output_splits_and_leaves_the_cut_end() -> None:
    text = "1. The author uses dashes. The author uses colons.\n\nSure!\nThe author uses dashes.\nThe author uses many"
    assert parse_output(text, truncated=True) == [
        ("1. The author uses dashes.", "dashes"),
        ("The author uses colons.", "colons"),
        ("Sure!", None),
        ("The author uses dashes.", "dashes"),
        ("The author uses many", None),
    ]
    assert parse_output(text, truncated=False)[-1] == ("The author uses many", "many")
    assert parse_output(text + " dashes.", truncated=True)[-1] == ("The author uses many dashes.", "many dashes")
    assert parse_output("The author uses dashes.\n" * 3, truncated=False) == [("The author uses dashes.", "dashes")]


def test_an_answer_without_a_sentence_keeps_a_row() -> None:
    chosen = choose_answers({"single": samples(make("a", "x", "train", 2))}, 2, 0, 0)
    table = sentence_table(chosen, [[], [("p@1", "The author uses dashes.", "dashes"), ("p@1", "Hm.", None)]], "llm")
    assert table.select("answer_id", "author", "prompt_id", "sentence", "attribute").rows() == [
        ("a0", None, "llm", "", None),
        ("a1", "ua1", "p@1", "The author uses dashes.", "dashes"),
        ("a1", "ua1", "p@1", "Hm.", None),
    ]


NAMES = [attribute.name for attribute in ATTRIBUTES]


def test_both_renderings_are_read_back() -> None:
    for name in NAMES:
        assert parse_sentence(author_sentence(name)) == parse_sentence(you_sentence(name)) == name
