"""Tagged answers written by hand: one line per token, its word, parts of speech, relation and head."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sociolect.common.schemas import TAGGED
from sociolect.syntax.posnoise import noise

# "word POS TAG dep head", the head as the number of a token of the sentence, from 1; 0 for the root
BREAD = """
The DET DT det 2
bread NOUN NN nsubjpass 8
that PRON WDT dobj 6
the DET DT det 5
cook NOUN NN nsubj 6
baked VERB VBD relcl 2
was AUX VBD auxpass 8
eaten VERB VBN ROOT 0
by ADP IN agent 8
hungry ADJ JJ amod 11
dogs NOUN NNS pobj 9
. PUNCT . punct 8
"""
HOPE = """
I PRON PRP nsubj 2
hope VERB VBP ROOT 0
to PART TO aux 5
really ADV RB advmod 5
finish VERB VB xcomp 2
, PUNCT , punct 2
but CCONJ CC cc 2
there PRON EX expl 9
are VERB VBP conj 2
no DET DT det 11
tools NOUN NNS attr 9
to PART TO aux 13
work VERB VB relcl 11
with ADP IN prep 13
. PUNCT . punct 9
"""
HOUSE = """
The DET DT det 2
house NOUN NN nsubj 7
in ADP IN prep 6
which PRON WDT pobj 3
I PRON PRP nsubj 6
live VERB VBP relcl 2
is AUX VBZ ROOT 0
old ADJ JJ acomp 7
. PUNCT . punct 7
"""
MAN = """
The DET DT det 2
man NOUN NN nsubj 6
whose DET WP$ poss 4
car NOUN NN nsubj 5
broke VERB VBD relcl 2
left VERB VBD ROOT 0
. PUNCT . punct 6
"""


def tagged(answers: Sequence[Sequence[str]]) -> pl.DataFrame:
    """Frame of schema TAGGED of answers, each a list of sentences as above."""
    rows = []
    for number, sentences in enumerate(answers):
        columns: dict[str, list] = {name: [] for name in ("word", "pos", "tag", "dep", "head", "start")}
        for sentence in sentences:
            for place, line in enumerate(sentence.strip().splitlines(), start=1):
                word, pos, tag, dep, head = line.split()
                values = (word, pos, tag, dep, int(head) - place if int(head) else 0, place == 1)
                for name, value in zip(columns, values, strict=True):
                    columns[name].append(value)
        words = columns.pop("word")
        rows.append({"answer_id": f"a{number}", **columns, "noised": noise(words, columns["pos"])})
    return TAGGED.frame(rows)
