"""Measures of syntax, counted by hand in sentences tagged by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sociolect.common.errors import InputError
from sociolect.syntax.function_words import FUNCTION_WORDS, POS_OF_KIND
from sociolect.syntax.measures import SYNTAX_INDEX, SYNTAX_MEASURES, measure_syntax
from sociolect.syntax.posnoise import noise
from tagged_by_hand import BREAD, HOPE, HOUSE, MAN, tagged


def measured(*sentences: str) -> dict[str, float]:
    return dict(zip(SYNTAX_MEASURES, measure_syntax(tagged([sentences]))[0].tolist(), strict=True))


# of 11 words and of 13
@pytest.mark.parametrize(
    ("sentence", "words", "counts"),
    [
        (
            BREAD,
            11,
            {
                "pos_noun": 3,
                "pos_punct": 1,
                "pair_det_noun": 2,
                "pair_noun_pron": 1,
                "tag_past_tense": 2,
                "tag_plural_noun": 1,
                "dep_relcl": 1,
                "passive_agent": 1,
                "passive_short": 0,
                "relative_that": 1,
                "relative_which": 0,
                "relative_subject": 0,
                "relative_bare": 0,
                "dep_amod": 1,
                "two_adjectives": 0,
                "stranded_prep": 0,
                "heavy_noun": 0,
                "bare_noun": 0,
            },
        ),
        (
            HOPE,
            13,
            {
                "infinitive": 2,
                "infinitive_complement": 1,
                "infinitive_after_noun": 1,
                "split_infinitive": 1,
                "split_auxiliary": 0,
                "stranded_prep": 1,
                "relative_bare": 1,
                "tag_existential": 1,
                "clauses_joined": 1,
                "verbs_joined": 0,
                "comma_but": 1,
                "comma_and": 0,
                "no_noun": 1,
                "passive_short": 0,
            },
        ),
        (HOUSE, 8, {"relative_which": 1, "relative_bare": 0, "stranded_prep": 0}),
        (MAN, 6, {"relative_which": 0, "relative_bare": 0}),
    ],
    ids=["bread", "hope", "house", "man"],
)
def test_rates_per_100_words(sentence: str, words: int, counts: dict[str, int]) -> None:
    found = measured(sentence)
    for name, count in counts.items():
        assert found[name] == pytest.approx(100 * count / words), name


def test_a_function_word_counts_as_what_it_is_there() -> None:
    said = "I PRON PRP nsubj 2\nsaid VERB VBD ROOT 0\nthat SCONJ IN mark 2\nthat DET DT det 2\nthat PRON DT nsubj 2"
    found = measured(said)
    rates = {name: value for name, value in found.items() if name.startswith("word_") and value}
    assert rates == {
        "word_pronoun_i": 20,
        "word_verb_said": 20,
        "word_conjunction_that": 20,
        "word_determiner_that": 20,
        "word_pronoun_that": 20,
    }
    # the same form as a content word, and another text's words, count for nothing
    like = "like NOUN NN ROOT 0"
    assert not any(value for name, value in measured(like).items() if name.startswith("word_"))
    alone = measure_syntax(tagged([[said]]))[0]
    assert np.array_equal(measure_syntax(tagged([[like], [said], []]))[1], alone)


def test_every_function_word_is_kept_by_posnoise() -> None:
    for kind, word in FUNCTION_WORDS:
        for part in POS_OF_KIND[kind]:
            assert noise([word], [part]) == [word], (kind, word)


def test_shapes_of_a_tree() -> None:
    found = measured(BREAD)
    # distances of the ten words that are no root: 1 6 3 1 1 4 1 1 1 2
    assert found["distance_mean"] == pytest.approx(21 / 10)
    assert found["distance_longest"] == 6
    # heads before their word: of "baked" (bread), "by" (eaten), "dogs" (by)
    assert found["heads_to_the_left"] == pytest.approx(3 / 10)
    # eaten 0; bread, was, by, "." 1; The, baked, dogs 2; that, cook, hungry 3; the 4
    assert found["depth_mean"] == pytest.approx((4 * 1 + 3 * 2 + 3 * 3 + 4) / 12)
    assert found["depth_deepest"] == 4
    assert found["root_place"] == 7
    assert found["branching_widest"] == 4
    assert found["clauses_per_sentence"] == 2 and found["words_per_clause"] == pytest.approx(11 / 2)


def test_what_a_sentence_has_is_a_share_of_the_sentences() -> None:
    found = measured(BREAD, HOPE, "Nice ADJ JJ ROOT 0\n! PUNCT . punct 1", "Go VERB VB ROOT 0\non ADP RP prt 1")
    assert [found[f"opens_{name}"] for name in ("det", "pron", "adj", "verb", "noun")] == [0.25, 0.25, 0.25, 0.25, 0]
    assert found["no_verb"] == 0.25 and found["no_finite_verb"] == 0.5 and found["imperative_root"] == 0.25
    assert found["ends_period"] == 0.5 and found["ends_exclamation"] == 0.25 and found["ends_open"] == 0.25
    assert found["with_subordinate"] == 0.5 and found["opens_subject"] == 0.25
    assert found["sentence_words"] == pytest.approx((11 + 13 + 1 + 2) / 4)
    assert found["sentence_spread"] == pytest.approx(np.std([11, 13, 1, 2]))
    assert found["depth_deepest"] == pytest.approx((4 + 4 + 1 + 1) / 4)


def test_neighbors_and_marks_do_not_reach_over_the_end_of_a_sentence_or_a_text() -> None:
    noun, verb = "dog NOUN NN ROOT 0", "runs VERB VBZ ROOT 0"
    for answers in ([[noun, verb]], [[noun], [verb]]):
        assert measure_syntax(tagged(answers))[:, SYNTAX_INDEX["pair_noun_verb"]].sum() == 0
    assert measured("dog NOUN NN nsubj 2\nruns VERB VBZ ROOT 0")["pair_noun_verb"] == 50


def test_content_words_and_neighboring_answers_change_nothing() -> None:
    swapped = BREAD.replace("bread", "Treaty").replace("cook", "envoy").replace("baked", "drafted")
    table = tagged([[BREAD], [], [HOPE, BREAD], [swapped]])
    rows = measure_syntax(table)
    assert np.array_equal(rows[0], rows[3])
    turned = measure_syntax(table.reverse())
    assert np.array_equal(turned[::-1], rows)
    assert np.array_equal(rows[0], measure_syntax(tagged([[BREAD]]))[0])


def test_an_answer_without_a_word_has_zeros() -> None:
    rows = measure_syntax(tagged([[], ["! PUNCT . ROOT 0"], [BREAD]]))
    assert not rows[:2].any() and rows[2].any()
    assert measure_syntax(tagged([[]])).shape == (1, len(SYNTAX_MEASURES))
    assert measure_syntax(tagged([])).shape == (0, len(SYNTAX_MEASURES))


def test_a_broken_tree_is_refused() -> None:
    outside = tagged([["dog NOUN NN ROOT 0"], ["cat NOUN NN ROOT 0"]])
    moved = outside.with_columns(head=pl.Series([[1], [0]], dtype=pl.List(pl.Int32)))
    with pytest.raises(InputError, match="row 0 has a head outside its text"):
        measure_syntax(moved)
    with pytest.raises(InputError, match="in a circle"):
        measure_syntax(tagged([["dog NOUN NN nsubj 2\nruns VERB VBZ ROOT 1"]]))
