"""POSNoise by hand."""

from __future__ import annotations

from sociolect.syntax.posnoise import noise


def test_content_words_become_letters_and_the_rest_stays_in_lower_case() -> None:
    words = ["However", ",", "Dr", "Lee", "didn", "\u2019t", "QUICKLY", "sell", "two", "red", "cars", "for", "$", "900"]
    pos = ["ADV", "PUNCT", "PROPN", "PROPN", "AUX", "PART", "ADV", "VERB", "NUM", "ADJ", "NOUN", "ADP", "SYM", "NUM"]
    assert " ".join(noise(words, pos)) == "however , P P didn 't R V two J N for S D"


def test_a_word_stays_only_as_the_part_of_speech_that_it_is_listed_for() -> None:
    assert noise(["use", "use", "like"], ["VERB", "NOUN", "SCONJ"]) == ["use", "N", "like"]
