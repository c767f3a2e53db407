"""Texts of parts of speech, noised words, marks and relations."""

from __future__ import annotations

from sociolect.syntax.grams import mark_text, noised_text, pos_text, relation_text
from tagged_by_hand import BREAD, HOPE, tagged


def test_texts_of_sentences_tagged_by_hand() -> None:
    table = tagged([[BREAD], [], ["Go VERB VB ROOT 0", HOPE]])
    assert pos_text(table)[0] == "DET NOUN PRON DET NOUN VERB AUX VERB ADP ADJ NOUN PUNCT |"
    assert pos_text(table)[2].startswith("VERB | PRON VERB PART ADV")
    assert noised_text(table)[0] == "the N that the N V was V by J N ."
    # "really" is no word of a topic, "hope" may be
    assert noised_text(table)[2].startswith("go i V to really V , but there are no N")
    assert mark_text(table) == [". |", "", "| , . |"]
    assert relation_text(table)[0] == "det> nsubjpass> dobj> det> nsubj> relcl< auxpass> ROOT agent< amod> pobj< punct<"
    assert [text(table)[1] for text in (pos_text, noised_text, relation_text)] == ["", "", ""]
