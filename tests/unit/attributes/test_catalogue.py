"""Rejections, frequency by authors, near duplicates, and the mapping back onto answers."""

from __future__ import annotations

import random

import polars as pl
import pytest

from sociolect.attributes.catalogue import build_catalogue, near_duplicates
from sociolect.attributes.said import attributes_of_answers
from sociolect.attributes.wording import author_sentence
from sociolect.common.artifacts import check_table
from sociolect.common.errors import InputError
from sociolect.common.schemas import CATALOGUE, CATALOGUE_FUNNEL, SENTENCES
from sociolect.settings.attributes import CatalogueSettings
from sociolect.stylometry.stylometry import ATTRIBUTES

NAMES = [attribute.name for attribute in ATTRIBUTES]
OPEN = CatalogueSettings(min_share=0.0, max_share=1.0)


def said(*rows: tuple[str, str | None, str, str | None]) -> pl.DataFrame:
    """Rows (answer, author, part, X): sentence and attribute follow from X; None: nothing was said."""
    full = [
        (a, "single", "g", author, part, "stylometry", "" if x is None else author_sentence(x), x)
        for a, author, part, x in rows
    ]
    return SENTENCES.frame(full)


def test_share_counts_authors_and_answers_without_one() -> None:
    # Described train authors: ann, bob, and the answers u1, u2 on their own: 4. The val author does not count.
    frame = said(
        ("a1", "ann", "train", "dashes"),
        ("a2", "ann", "train", "dashes"),
        ("a3", "bob", "train", "colons"),
        ("u1", None, "train", "dashes"),
        ("u2", None, "train", None),
        ("v1", "eve", "val", "colons"),
    )
    catalogue, _ = build_catalogue(frame, OPEN)
    check_table(catalogue, CATALOGUE, "catalogue")
    columns = ("attribute_id", "attribute", "n_answers", "n_authors", "share")
    assert catalogue.select(columns).rows() == [("a000", "dashes", 3, 2, 0.5), ("a001", "colons", 1, 1, 0.25)]
    assert catalogue["answer_ids"].to_list() == [["a1", "a2", "u1"], ["a3"]]
    assert catalogue["raw_sentences"].to_list() == [["The author uses dashes."], ["The author uses colons."]]
    assert catalogue["prompt_ids"].to_list() == [["stylometry"]] * 2
    assert catalogue["you_sentence"].to_list() == ["You use dashes.", "You use colons."]


def test_an_author_called_like_an_answer_is_another() -> None:
    frame = said(("x", None, "train", "dashes"), ("y", "x", "train", "dashes"), ("z", None, "train", "colons"))
    assert build_catalogue(frame, OPEN)[0]["n_authors"].to_list() == [2, 1]


def test_funnel_counts_each_attribute_at_its_first_rule() -> None:
    # 10 authors; bounds 0.2 and 0.6 are inside: 2 and 6 authors stay, 1 and 7 go.
    kept = {"dashes": 6, "colons": 2, "slang words": 3}
    gone = {
        "x" * 121: 3,
        "na\u00efve words": 3,
        "no commas": 3,
        "words that aren't short": 3,
        "praise that mentions people": 3,
        '"well" often': 3,
        "the word 'well'": 3,
        "rare things": 1,
        "frequent things": 7,
        "slang words.": 0,
    }
    rows: list[tuple[str, str | None, str, str | None]] = [(f"a{i}", f"u{i}", "train", None) for i in range(10)]
    for name, n in (kept | gone).items():
        rows += [(f"a{i}", f"u{i}", "train", name) for i in range(n)]
    frame = said(*rows).vstack(said(("a0", "u0", "train", "?")).with_columns(attribute=pl.lit(None, pl.String)))
    catalogue, funnel = build_catalogue(frame, CatalogueSettings(min_share=0.2, max_share=0.6))
    assert catalogue["attribute"].to_list() == ["dashes", "slang words", "colons"]
    check_table(funnel, CATALOGUE_FUNNEL, "funnel")
    assert funnel.select("rule", "n_rejected", "n_left").rows() == [
        ("unparseable", 1, 12),
        ("too_long", 1, 11),
        ("non_ascii", 1, 10),
        ("negation", 2, 8),
        ("reject_word", 1, 7),
        ("quotation", 2, 5),
        ("too_rare", 1, 4),
        ("too_frequent", 1, 3),
        ("near_duplicate", 0, 3),
        ("too_frequent_merged", 0, 3),
        ("beyond_maximum", 0, 3),
    ]
    assert funnel.filter(pl.col("rule") == "negation")["example"].to_list() == ["no commas"]


def test_near_duplicates_go_to_the_more_frequent() -> None:
    frequency = {"clear structure": 5, "clear structures": 9, "a formal tone": 3, "formal tone": 3, "dashes": 1}
    assert near_duplicates(frequency, 0.8) == {"clear structure": "clear structures", "formal tone": "a formal tone"}
    assert near_duplicates(frequency, 1.0) == {}
    same = {
        "frequent passive verbs": "frequent passive verb",
        "determiner omissions": "determiner omission",
        "rhetorical questions followed by answers": "rhetorical questions followed by an answer",
        "adverbs at the start of sentences": "adverb at the start of sentences",
    }
    assert near_duplicates(dict.fromkeys(same, 2) | dict.fromkeys(same.values(), 1), 0.8) == {
        rare: frequent for frequent, rare in same.items()
    }


def test_short_names_that_differ_in_a_decisive_word_survive() -> None:
    pairs = [
        ("short sentences", "long sentences"),
        ("first person singular pronouns", "first person plural pronouns"),
        ("first person singular pronouns", "third person singular pronouns"),
        ("numbers", "numbered lists"),
        ("the preposition of often", "the preposition on often"),
        ("many first person plural pronouns", "first person plural pronouns"),
        ("a high share of adverbs", "a high share of adjectives"),
        ("nouns followed by verbs", "verbs followed by nouns"),
        ("a noun followed by a verb", "a verb followed by a noun"),
        ("the adverb most", "the adjective most"),
    ]
    for pair in pairs:
        assert near_duplicates(dict.fromkeys(pair, 1), 0.8) == {}, pair
    assert near_duplicates(dict.fromkeys(NAMES, 1), 0.8) == {}
    rng = random.Random(0)
    for _ in range(20):
        assert near_duplicates(dict.fromkeys(rng.sample(NAMES, 30), 1), 0.8) == {}


def test_what_was_said_with_a_near_duplicate_is_credited() -> None:
    frame = said(
        ("a1", "ann", "train", "a formal tone"),
        ("a2", "bob", "train", "a formal tone"),
        ("a3", "cid", "train", "formal tone"),
        ("a4", "dee", "train", "dashes"),
        ("a4", "dee", "train", "colons"),
        ("v1", "eve", "val", "formal tone"),
        ("t1", "fay", "test", "commas"),
    )
    catalogue, funnel = build_catalogue(frame, OPEN)
    assert catalogue.filter(pl.col("attribute") == "a formal tone").select("n_authors", "share").rows() == [(3, 0.75)]
    assert catalogue["answer_ids"][0].to_list() == ["a1", "a2", "a3"]
    assert catalogue["raw_sentences"][0].to_list() == ["The author uses a formal tone.", "The author uses formal tone."]
    found = attributes_of_answers(frame, catalogue)
    assert found.rows() == [
        ("a1", "train", ["a000"]),
        ("a2", "train", ["a000"]),
        ("a3", "train", ["a000"]),
        ("a4", "train", ["a001", "a002"]),
        ("t1", "test", []),
        ("v1", "val", ["a000"]),
    ]
    bounded, funnel = build_catalogue(frame, CatalogueSettings(min_share=0.0, max_share=0.6))
    assert bounded["attribute"].to_list() == ["colons", "dashes"]
    assert dict(funnel.select("rule", "n_rejected").rows())["too_frequent_merged"] == 1


def corpus() -> pl.DataFrame:
    rng = random.Random(3)
    rows = []
    for i in range(60):
        author = None if i % 7 == 0 else f"u{i % 25}"
        part = ("train", "train", "val", "test")[i % 4]
        rows += [(f"a{i}", author, part, name) for name in rng.sample(NAMES, 5)]
    return said(*rows)


def test_val_and_test_never_influence_the_catalogue() -> None:
    frame = corpus()
    catalogue, funnel = build_catalogue(frame, CatalogueSettings(min_share=0.05))
    others = frame.with_columns(
        attribute=pl.when(pl.col("part") == "train").then("attribute").otherwise(pl.lit("dashes")),
        author=pl.when(pl.col("part") == "train").then("author").otherwise(pl.lit("u1")),
    )
    again = build_catalogue(others, CatalogueSettings(min_share=0.05))
    assert catalogue.equals(again[0]) and funnel.equals(again[1])


def test_order_of_the_rows_does_not_matter() -> None:
    frame = corpus()
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=5)
    catalogue, funnel = build_catalogue(frame, CatalogueSettings(min_share=0.02, max_attributes=9))
    again = build_catalogue(shuffled, CatalogueSettings(min_share=0.02, max_attributes=9))
    assert catalogue.equals(again[0]) and funnel.equals(again[1]) and catalogue.height == 9
    assert attributes_of_answers(frame, catalogue).equals(attributes_of_answers(shuffled, catalogue))


def test_ids_sort_in_catalogue_order_beyond_a_thousand() -> None:
    # names without common letters, so that none is a near duplicate
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [a * 3 + b * 3 for a in letters for b in letters] + [
        a * 3 + b * 2 + a * 2 for a in letters for b in letters
    ]
    frame = said(*((f"a{i}", None, "train", name) for i, name in enumerate(names)))
    ids = build_catalogue(frame, CatalogueSettings(min_share=0, near_duplicate=1.0, max_attributes=2000))[0][
        "attribute_id"
    ]
    assert len(ids) > 1000 and ids.is_sorted() and ids[0] == "a0000"


def test_too_little_is_left() -> None:
    with pytest.raises(InputError, match=r"1 attributes are left.* \(negation 1\)"):
        build_catalogue(said(("a", None, "train", "no commas"), ("b", None, "train", "dashes")), OPEN)
    with pytest.raises(InputError, match="no row of part train"):
        build_catalogue(said(("a", None, "val", "dashes")), OPEN)
    frame = said(("a", None, "train", "dashes"), ("a", None, "val", "colons"), ("b", None, "train", "colons"))
    with pytest.raises(InputError, match="'a' is in the parts train, val"):
        attributes_of_answers(frame, build_catalogue(frame, OPEN)[0])
