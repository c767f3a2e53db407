"""Masked text: function words and punctuation stay, everything else is one symbol."""

from __future__ import annotations

from sociolect.embedding.masking import mask_by_tags, mask_content
from tagged_by_hand import BREAD, tagged


def test_content_words_and_numbers_are_one_symbol_and_layout_stays() -> None:
    assert mask_content(["The 3 systems don't fail, however; I'd call it x2!\n- Beer", ""]) == [
        "The xx xx don't xx, however; I'd xx it xx!\n- xx",
        "",
    ]


def test_two_texts_that_differ_in_topic_alone_are_one() -> None:
    assert len(set(mask_content(["We brew (good) beer.", "We train (large) models."]))) == 1


def test_tags_tell_function_words_from_content_words() -> None:
    assert mask_by_tags(tagged([[BREAD], []])) == ["the NN that the NN VV was VV by JJ NN .", ""]
