"""The stylometry describer against texts counted by hand."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest

from sociolect.attributes.catalogue import near_duplicates
from sociolect.attributes.parsing import parse_sentence
from sociolect.common.errors import InputError
from sociolect.common.schemas import TAGGED
from sociolect.stylometry.features import INDEX
from sociolect.stylometry.lexicons import PHRASES, WORDS
from sociolect.stylometry.stylometry import (
    ATTRIBUTES,
    MEASURES,
    SYNTAX_ATTRIBUTES,
    Thresholds,
    attributes_for,
    describe,
    describe_matrix,
    fit_thresholds,
    measure_answers,
    measure_names,
    measure_texts,
    sentence_of,
)
from sociolect.syntax.function_words import POS_OF_KIND
from sociolect.syntax.measures import SYNTAX_MEASURES

PLAIN = [
    "The tree stands near the house.",
    "A small dog sleeps under the table, and the cat eats.",
    "Water runs down the hill into the lake.",
    "Birds sit on the roof of the barn all day.",
]
PLANTED = {
    "exclamation marks": "The dog runs fast!",
    "rhetorical questions": "The dog runs. Who knows where?",
    "ellipses": "The dog runs... and then it stops.",
    "parentheses": "The dog (a small one) runs.",
    "hedging words": "The dog is perhaps asleep.",
    "intensifiers": "The dog is extremely fast.",
    "first person singular pronouns": "The dog runs with me.",
    "first person plural pronouns": "The dog runs with us.",
    "second person pronouns": "The dog runs with you.",
    "contractions": "The dog can't run.",
    "numbered lists": "To do:\n1. Feed the dog.\n2. Walk the dog.",
    "bullet points": "To do:\n- feed the dog\n- walk the dog",
    "semicolons": "The dog runs; the cat sleeps.",
    "formal connectives": "Furthermore, the dog runs.",
    "greetings": "Hello, the dog runs.",
    "polite expressions": "Please feed the dog.",
    "numbers": "The dog has 42 toys.",
    "words in capital letters": "The dog runs FAST today.",
    "slang words": "The dog is gonna run, dude.",
    "dashes": "The dog runs \u2014 the cat sleeps.",
    "emoticons": "The dog runs :)",
    "abbreviations": "The dog eats bread, meat, etc. and sleeps.",
}


def per_100_words(text: str, measure: str) -> float:
    return float(measure_texts([text])[0, INDEX[measure]])


@pytest.mark.parametrize(
    ("text", "measure", "count", "words"),
    [
        ("One two three! Four five! Six.", "exclamation", 2, 6),
        ("Is it so??? Who knows? Nobody here.", "question", 2, 7),
        ("Well... it may be\u2026 or so. Yes.", "ellipsis", 2, 7),
        ("I think my dog likes me, I'm sure.", "first_singular", 4, 8),
        ("We\u2019re sure it\u2019s fine and won't break.", "contractions", 3, 7),
        ("The dog's bowl is here.", "contractions", 0, 5),
        ("NASA and the EU met I think.", "capital_words", 2, 7),
        ("In 2019 we paid 3,500.50 for 2 cars.", "numbers", 3, 5),
        ("In 2019 we paid 3,500.50 for 2 cars.", "years", 1, 5),
        ("1. Mix it.\n2. Wait.\n3. Eat 4 of them.", "numbers", 1, 6),
        ("1. Mix it.\n2. Wait.\n3. Eat 4 of them.", "numbered_items", 3, 6),
        ("Do this: 1) mix it 2) wait.", "numbered_items", 2, 5),
        ("It has 12. They left.", "numbered_items", 0, 4),
        ("- one thing\n* two things\n\u2022 three", "bullets", 3, 5),
        ("A well-known one - it is \u2014 so.", "dashes", 2, 7),
        ("A well-known one - it is \u2014 so.", "hyphenated", 1, 7),
        ("Use tools, e.g. a saw, i.e. steel, etc. for it.", "abbreviations", 3, 12),
        ("See https://example.org/a-b?c=1 now.", "links", 1, 2),
        ("See https://example.org/a-b?c=1 now.", "question", 0, 2),
        ("Nice :) and good ;-) see: (a) here.", "emoticons", 2, 6),
        ("The bread was quickly eaten, but it is red.", "passive", 0, 9),
        ("The work was quickly finished and is not done.", "passive", 2, 9),
        ("In my opinion this is sort of likely.", "hedges", 3, 8),
        ("It is not so. They don't. Nobody can't.", "negated", 4, 8),
        ("The organisation realised its colour.", "british", 3, 5),
        ("Feed it. Take one. The dog runs.", "imperative", 1, 7),
        ("But we go. And so on. The end.", "initial_conjunction", 2, 8),
        ("The nation's movement and happiness.", "nominalisation", 2, 5),
    ],
)
def test_counts_per_100_words(text: str, measure: str, count: int, words: int) -> None:
    assert per_100_words(text, measure) == pytest.approx(100.0 * count / words)


def test_lengths() -> None:
    text = "Dr. Lee ran home. He slept.\n\nThe end came soon, e.g. at night."
    measured = measure_texts([text])[0]
    # Sentences of 4, 2 and 8 words: the full stops of "Dr." and "e.g." end none.
    assert measured[INDEX["sentence_mean"]] == pytest.approx(14 / 3)
    assert measured[INDEX["paragraphs"]] == 2
    assert measured[INDEX["paragraph_mean"]] == pytest.approx(7)
    assert measured[INDEX["paragraph_sentences"]] == pytest.approx(1.5)
    assert measured[INDEX["once_used"]] == pytest.approx(1.0)
    assert per_100_words("one one two two", "variety") == pytest.approx(0.5)
    assert per_100_words("one one two two", "once_used") == 0.0


@pytest.mark.parametrize("name", PLANTED)
def test_a_rare_mark_needs_to_occur_only_once(name: str) -> None:
    thresholds = fit_thresholds([*PLAIN * 5, PLANTED[name]], 0.6)
    found = describe([*PLAIN, PLANTED[name]], thresholds)
    assert [name in names for names in found] == [False, False, False, False, True]


def test_degrees_of_length() -> None:
    texts = [" ".join(["word"] * n) + "." for n in range(1, 11)]
    thresholds = fit_thresholds(texts, 0.7)
    matrix = describe_matrix(texts, thresholds)
    names = [attribute.name for attribute in ATTRIBUTES]
    # Quantile 0.7 of 1..10 is 7.3, the next value 8; quantile 0.3 is 3.7, the value below 3.
    assert np.flatnonzero(matrix[:, names.index("long sentences")]).tolist() == [7, 8, 9]
    assert np.flatnonzero(matrix[:, names.index("short sentences")]).tolist() == [0, 1, 2]


def test_ties_and_constants_give_nothing_to_all() -> None:
    texts = ["Same words here."] * 9 + ["These are different and much longer words, in one sentence."]
    matrix = describe_matrix(texts, fit_thresholds(texts, 0.6))
    assert matrix.mean(axis=0).max() <= 0.5


def test_text_without_words_has_no_attribute() -> None:
    assert describe(["", "  \n", "!!! ... 12"], fit_thresholds(PLAIN, 0.6)) == [[], [], []]


def test_thresholds_come_from_train_alone_and_not_from_its_order() -> None:
    train = [*PLAIN, *PLANTED.values()]
    thresholds = fit_thresholds(train, 0.6)
    assert fit_thresholds(train[::-1], 0.6) == thresholds
    # A text's attributes do not depend on the texts beside it.
    alone = [describe([text], thresholds)[0] for text in train]
    assert describe(train, thresholds) == alone
    assert (measure_texts(train) == measure_texts(train)).all()


def test_thresholds_survive_json() -> None:
    thresholds = fit_thresholds([*PLAIN, *PLANTED.values()], 0.6)
    assert Thresholds.from_dict(json.loads(json.dumps(thresholds.to_dict()))) == thresholds


def test_bad_input_says_what_to_do() -> None:
    with pytest.raises(InputError, match=r"quantile: 1.0 .* 0.6"):
        fit_thresholds(PLAIN, 1.0)
    with pytest.raises(InputError, match="1 training texts"):
        fit_thresholds(PLAIN[:1], 0.6)
    content = fit_thresholds(PLAIN, 0.6).to_dict()
    content["attributes"][0]["name"] = "something else"
    with pytest.raises(InputError, match=r"something else.*fit_thresholds"):
        Thresholds.from_dict(content)
    with pytest.raises(InputError, match="fit_thresholds"):
        Thresholds.from_dict({"quantile": 0.6})


def test_names_pass_the_catalogue() -> None:
    names = [attribute.name for attribute in attributes_for(True)]
    assert len(set(names)) == len(names)
    assert 40 <= len(ATTRIBUTES) <= 110
    assert len({attribute.family for attribute in ATTRIBUTES}) >= 8
    for name in names:
        sentence = sentence_of(name)
        assert sentence == f"The author uses {name}."
        assert sentence.isascii() and len(sentence) <= 120 and len(name) < 100
        assert not re.search(r"[\"'`]|\b(no|not|never|none|without|avoids?|mentions?|quotes?|lacks?)\b", name)
    assert set(PLANTED) | {"short sentences", "long sentences"} <= set(names)


@pytest.mark.parametrize("with_syntax", [False, True])
def test_no_two_names_are_near_duplicates(with_syntax: bool) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    names = [attribute.name for attribute in attributes_for(with_syntax)]
    assert near_duplicates(dict.fromkeys(names, 1), 0.8) == {}
    assert [parse_sentence(sentence_of(name)) for name in names] == names
    # those of function words and of neighbors are alike but for the words that they name
    names = [
        name for name in names if not re.search(f"^the ({'|'.join(POS_OF_KIND)}) (verb )?[a-zI]+$|followed by", name)
    ]
    assert len(names) > 80
    for analyzer, grams in (("char_wb", (2, 4)), ("char_wb", (3, 5)), ("char", (3, 5))):
        rows = TfidfVectorizer(analyzer=analyzer, ngram_range=grams).fit_transform(names)
        cosines = (rows @ rows.T).toarray()
        np.fill_diagonal(cosines, 0.0)
        assert cosines.max() < 0.8, analyzer


def test_every_attribute_is_measured_and_every_word_list_is_used() -> None:
    used = {attribute.measure for attribute in ATTRIBUTES}
    assert used <= set(MEASURES)
    assert set(WORDS) | set(PHRASES) <= used | {"abbreviation_words"}
    assert {attribute.measure for attribute in SYNTAX_ATTRIBUTES} <= set(SYNTAX_MEASURES)
    degrees = [(attribute.measure, attribute.direction, attribute.level) for attribute in attributes_for(True)]
    assert len(set(degrees)) == len(degrees)


def made_up_syntax(lengths: list[int]) -> pl.DataFrame:
    """Tagged answers: so many nouns, the first the root and all others compounds of the one before."""
    rows = [
        {
            "answer_id": f"a{i}",
            "pos": ["NOUN"] * n,
            "tag": ["NN"] * n,
            "dep": ["ROOT", *["compound"] * (n - 1)][:n],
            "head": [0, *[-1] * (n - 1)][:n],
            "start": [True, *[False] * (n - 1)][:n],
            "noised": ["N"] * n,
        }
        for i, n in enumerate(lengths)
    ]
    return TAGGED.frame(rows)


def test_tagged_answers_add_measures_and_attributes_and_change_none() -> None:
    texts, tagged = PLAIN, made_up_syntax([1, 1, 2, 5])
    plain, both = measure_answers(texts), measure_answers(texts, tagged)
    assert len(set(measure_names(True))) == both.shape[1] and measure_names(False) == MEASURES
    assert np.array_equal(plain, measure_texts(texts)) and np.array_equal(both[:, : plain.shape[1]], plain)
    assert both[:, measure_names(True).index("compound_noun")].tolist() == [0, 0, 50, 80]
    without, thresholds = fit_thresholds(plain, 0.6), fit_thresholds(both, 0.6)
    assert without == fit_thresholds(texts, 0.6)
    n = len(ATTRIBUTES)
    assert thresholds.names[:n] == without.names and thresholds.values[:n] == without.values
    matrix = describe_matrix(both, thresholds)
    assert np.array_equal(matrix[:, :n], describe_matrix(texts, without))
    said = describe(both, thresholds)
    assert ["compound nouns" in names for names in said] == [False, False, True, True]
    assert Thresholds.from_dict(json.loads(json.dumps(thresholds.to_dict()))) == thresholds


def test_syntax_on_one_side_only_is_refused() -> None:
    tagged = made_up_syntax([1, 1, 2, 5])
    with pytest.raises(InputError, match="fitted with syntax"):
        describe_matrix(PLAIN, fit_thresholds(measure_answers(PLAIN, tagged), 0.6))
    with pytest.raises(InputError, match="4 tagged answers for 3 texts"):
        measure_answers(PLAIN[:3], tagged)
    with pytest.raises(InputError, match="3 measures are not those"):
        fit_thresholds(np.zeros((4, 3)), 0.6)
