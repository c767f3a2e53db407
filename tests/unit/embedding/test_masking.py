"""Masked text: function words and punctuation stay, everything else is one symbol."""

from __future__ import annotations

from sociolect.embedding.masking import MASK, content_words, mask_by_tags, mask_content, replace_content
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


SAID = "The 3 Systems don't FAIL, however;\n- I'd give it: A x2!"


def test_content_words_are_what_masking_takes_as_often_as_they_are_there() -> None:
    assert content_words([SAID, "", "Systems; the systems"]) == ["3", "systems", "fail", "x2", "systems", "systems"]
    assert content_words(["However, it is the one that they'd have."]) == []


def test_replacing_keeps_function_words_marks_layout_and_case() -> None:
    (found,) = replace_content([SAID], ["beer"], [0])
    assert found == "The beer Beer don't BEER, however;\n- I'd give it: A beer!"
    # one letter in capitals is a large beginning, not a word in capitals
    assert replace_content(["X Ray"], ["beer"], [0]) == ["Beer Beer"]
    # what is masked afterwards is the same text
    assert mask_content([found]) == mask_content([SAID])
    assert replace_content([SAID], [], [0]) == [
        SAID.replace("3", MASK).replace("Systems", "Xx").replace("FAIL", "XX").replace("x2", MASK)
    ]


def test_draws_depend_on_the_seed_of_the_text_alone() -> None:
    pool, text = [f"w{i}" for i in range(50)], "brew beer, train models"
    first, other, again = replace_content([text, text, text], pool, [1, 2, 1])
    assert first == again != other and replace_content([text], pool, [1]) == [first]
    assert set(content_words([first, other])) <= set(pool)
    # as often as the pool has them
    drawn = content_words(replace_content(["beer " * 2000], ["a1", "b1", "b1", "b1"], [3]))
    assert abs(drawn.count("b1") / 2000 - 0.75) < 0.04
