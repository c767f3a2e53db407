"""spaCy's tags of sentences that leave no doubt; what is no sentence; buckets."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from conftest import skip_here
from sociolect.common.errors import InputError
from sociolect.settings.syntax import is_installed
from sociolect.syntax.grams import noised_text, relation_text
from sociolect.syntax.measures import SYNTAX_INDEX, measure_syntax
from sociolect.syntax.tagging import Counts, Tagger, open_tagger, tag_buckets, tag_texts

BREAD = "The bread that the cook baked was eaten by hungry dogs."


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    if not is_installed("en_core_web_sm"):
        skip_here("spaCy is not installed: make setup-syntax")
    return open_tagger("en_core_web_sm")


def test_a_passive_and_a_relative_clause_are_seen(tagger: Tagger) -> None:
    table = tag_texts([BREAD], tagger)
    assert " ".join(table["pos"][0]) == "DET NOUN PRON DET NOUN VERB AUX VERB ADP ADJ NOUN PUNCT"
    assert noised_text(table) == ["the N that the N V was V by J N ."]
    assert relation_text(table) == ["det> nsubjpass> dobj> det> nsubj> relcl< auxpass> ROOT agent< amod> pobj< punct<"]
    row = measure_syntax(table)[0]
    found = {name: row[SYNTAX_INDEX[name]] for name in ("passive_agent", "relative_that", "dep_relcl", "passive_short")}
    assert list(found.values()) == pytest.approx([100 / 11, 100 / 11, 100 / 11, 0])


def test_white_space_is_no_token_and_the_sentence_behind_it_begins(tagger: Tagger) -> None:
    texts = ["She sleeps. We ate the bread.", "\n She  sleeps.\n\n\nWe ate\tthe bread. \n"]
    plain, spaced = tag_texts(texts, tagger).iter_rows(named=True)
    assert spaced["noised"] == plain["noised"] == ["she", "V", ".", "we", "V", "the", "N", "."]
    assert [i for i, opens in enumerate(spaced["start"]) if opens] == [0, 3]
    for row in (plain, spaced):
        assert all(0 <= i + offset < 8 for i, offset in enumerate(row["head"]))
        assert sum(offset == 0 for offset in row["head"]) == 2


def test_empty_and_endless_texts_are_tagged_and_counted(tagger: Tagger) -> None:
    counts = Counts()
    table = tag_texts(["", " \n", "One two three four.", "x" * 40], replace(tagger, max_chars=9), counts)
    assert [len(tokens) for tokens in table["pos"]] == [0, 0, 2, 1]
    assert (counts.n_tagged, counts.n_cut, counts.n_empty) == (4, 2, 2)


def test_buckets_that_are_done_are_not_tagged_again(tagger: Tagger, tmp_path: Path) -> None:
    answers = pl.DataFrame(
        {"answer_id": [f"a{i}" for i in range(12)], "answer": [f"It is {i}. {BREAD}" for i in range(12)]}
    )

    def run(texts: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        frames: list[pl.DataFrame] = []
        counts = tag_buckets(tmp_path / "cache", texts, 4, tagger, frames.append)
        return pl.concat(frames), counts.n_tagged

    whole, tagged_now = run(answers)
    assert tagged_now == 12 and set(whole["answer_id"]) == set(answers["answer_id"])
    again, tagged_now = run(answers.reverse())
    assert tagged_now == 0 and again.equals(whole)
    # another text: its bucket alone
    other = answers.with_columns(answer=pl.when(pl.col("answer_id") == "a3").then(pl.lit("Go.")).otherwise("answer"))
    after, tagged_now = run(other)
    assert 0 < tagged_now < 12
    assert after.filter(pl.col("answer_id") == "a3")["noised"].to_list() == [["go", "."]]
    assert after.filter(pl.col("answer_id") != "a3").equals(whole.filter(pl.col("answer_id") != "a3"))
    (tmp_path / "cache" / "00001.parquet").unlink(missing_ok=True)
    mended, tagged_now = run(other)
    assert tagged_now < 12 and mended.equals(after)


def test_without_spacy_one_line_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    assert not is_installed("en_core_web_sm")
    with pytest.raises(InputError, match=r"syntax.tagger is en_core_web_sm.*run `make setup-syntax`"):
        open_tagger("en_core_web_sm")


def test_function_words_are_what_they_are_in_their_sentence(tagger: Tagger) -> None:
    texts = [
        "I know that he likes that book, and that is enough.",
        "Since we came, once it rains, ask why or when they left.",
        "Do as I do: she can do it, so do not go so far.",
        "Most people, more or less, like little towns much better.",
    ]
    row = measure_syntax(tag_texts([" ".join(texts)], tagger))[0]
    found = {name.removeprefix("word_") for name, i in SYNTAX_INDEX.items() if name.startswith("word_") and row[i] > 0}
    assert {"conjunction_that", "determiner_that", "pronoun_that", "conjunction_since", "conjunction_when"} <= found
    assert {"auxiliary_can", "verb_do", "adjective_most", "pronoun_i", "conjunction_or", "adverb_far"} <= found
    assert "preposition_since" not in SYNTAX_INDEX and "verb_can" not in found
