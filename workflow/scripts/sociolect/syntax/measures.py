"""Measures of the syntax of tagged answers: rates per 100 words, shares, lengths and depths.

The features are those of register analysis (Biber 1988, Variation across Speech and Writing), counted in dependency
trees, and function and common words as what they are there. No word that says what a text is about is looked at.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from sociolect.syntax.function_words import FUNCTION_WORDS, POS_OF_KIND, word_measure
from sociolect.syntax.trees import Trees, read_trees

__all__ = ["NEIGHBORS", "SYNTAX_INDEX", "SYNTAX_MEASURES", "measure_syntax"]

_NOUNS, _VERBS = ("NOUN", "PROPN"), ("VERB", "AUX")
_FINITE = ("VBD", "VBP", "VBZ", "MD")
_POS_NAMES = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN SCONJ VERB X SYM PUNCT"
_POS = tuple(_POS_NAMES.split())
# neighbors within a sentence
_PAIR_NAMES = (
    "ADJ+NOUN NOUN+NOUN PROPN+PROPN NOUN+ADP ADP+DET ADP+NOUN ADP+PROPN ADP+PRON ADP+VERB DET+ADJ DET+NOUN "
    "PRON+AUX PRON+VERB PRON+NOUN AUX+VERB AUX+ADV AUX+DET AUX+ADJ ADV+ADJ ADV+VERB ADV+ADV VERB+ADV VERB+ADP "
    "VERB+DET VERB+PRON VERB+NOUN VERB+SCONJ PART+VERB NOUN+CCONJ NOUN+PRON NOUN+AUX NOUN+VERB NOUN+SCONJ "
    "CCONJ+VERB CCONJ+PRON CCONJ+NOUN SCONJ+PRON SCONJ+DET ADJ+CCONJ ADJ+ADJ ADJ+ADP NUM+NOUN PUNCT+PRON "
    "PUNCT+ADV PUNCT+SCONJ PUNCT+DET PUNCT+NOUN PUNCT+VERB NOUN+PUNCT VERB+PUNCT ADV+PUNCT PUNCT+PUNCT"
)
NEIGHBORS: tuple[tuple[str, str], ...] = tuple((pair.split("+")[0], pair.split("+")[1]) for pair in _PAIR_NAMES.split())
_TAGS: dict[str, tuple[str, ...]] = {
    "base_form": ("VB",),
    "past_tense": ("VBD",),
    "gerund": ("VBG",),
    "past_participle": ("VBN",),
    "present": ("VBP",),
    "present_third": ("VBZ",),
    "modal": ("MD",),
    "comparative": ("JJR", "RBR"),
    "superlative": ("JJS", "RBS"),
    "wh_determiner": ("WDT",),
    "wh_pronoun": ("WP", "WP$"),
    "wh_adverb": ("WRB",),
    "existential": ("EX",),
    "predeterminer": ("PDT",),
    "possessive_s": ("POS",),
    "possessive_pronoun": ("PRP$",),
    "personal_pronoun": ("PRP",),
    "plural_noun": ("NNS", "NNPS"),
    "foreign": ("FW",),
    "hyphen": ("HYPH",),
    "bracket": ("-LRB-",),
    "quotation": ("``",),
}
_RELATION_NAMES = (
    "acl acomp advcl advmod amod appos attr aux auxpass cc ccomp compound conj csubj dative det dobj expl intj mark "
    "neg nmod npadvmod nsubj nsubjpass nummod oprd parataxis pcomp pobj poss prep prt quantmod relcl xcomp"
)
_RELATIONS = tuple(_RELATION_NAMES.split())
_CONJUNCTIONS: dict[str, tuple[str, ...]] = {
    "condition": ("if", "unless"),
    "cause": ("because", "since", "as"),
    "concession": ("although", "though", "while", "whereas"),
    "time": ("when", "after", "before", "until", "once", "whenever"),
}
_OPENER_NAMES = "PRON NOUN PROPN DET ADJ ADV ADP SCONJ CCONJ VERB AUX PART INTJ NUM PUNCT"
_OPENERS = tuple(_OPENER_NAMES.split())
_HAVE = ("have", "has", "had", "having", "'ve", "'s", "'d")
_BE = ("be", "am", "is", "are", "was", "were", "been", "being", "'s", "'re", "'m")
_ENDS = {"period": (".",), "question": ("?",), "exclamation": ("!",), "colon": (":",), "dots": ("...", "\u2026")}


def _parts_of_speech(t: Trees) -> dict[str, np.ndarray]:
    """Parts of speech, pairs of neighbors, forms of the Penn Treebank, relations."""
    is_pos = {name: t.has("pos", name) for name in _POS}
    found = {f"pos_{name.lower()}": which for name, which in is_pos.items()}
    found |= {f"pair_{a.lower()}_{b.lower()}": is_pos[a] & t.next(is_pos[b]) for a, b in NEIGHBORS}
    found |= {f"tag_{name}": t.has("tag", *tags) for name, tags in _TAGS.items()}
    return found | {f"dep_{name}": t.has("dep", name) for name in _RELATIONS}


def _clauses(t: Trees) -> dict[str, np.ndarray]:
    """Passives, relative, adverbial and complement clauses, each counted at its verb."""
    after_head = t.offset < 0
    passive = t.children(t.has("dep", "auxpass")) > 0
    agent = t.children(t.has("dep", "agent")) > 0
    relative, adverbial, complement = (t.has("dep", name) for name in ("relcl", "advcl", "ccomp"))
    marks = t.has("dep", "mark")
    subject = t.children(t.has("dep", "nsubj", "nsubjpass", "expl")) > 0
    wh = t.has("tag", "WDT", "WP", "WP$", "WRB")
    which = wh & t.has("word", "which")
    to = t.children(t.has("tag", "TO")) > 0
    gerund, participle, adnominal = t.has("tag", "VBG"), t.has("tag", "VBN"), t.has("dep", "acl")
    return {
        "passive_agent": passive & agent,
        "passive_short": passive & ~agent,
        "relative_which": relative & (t.children(which | (t.has("dep", "prep") & (t.children(which) > 0))) > 0),
        "relative_that": relative & (t.children(t.has("word", "that") & wh) > 0),
        "relative_subject": relative & (t.children(wh & t.has("dep", "nsubj", "nsubjpass")) > 0),
        # also "in which" and "whose car": the wh word hangs on a child of the verb
        "relative_bare": relative & (t.children(wh | (t.children(wh) > 0)) == 0),
        "that_clause": complement & (t.children(marks & t.has("word", "that")) > 0),
        "that_left_out": complement & after_head & subject & (t.children(marks | wh) == 0),
        "wh_complement": complement & (t.children(wh) > 0),
        "fronted_clause": adverbial & ~after_head,
        **{
            f"clause_{name}": adverbial & (t.children(t.has("word", *words) & t.has("dep", "mark", "advmod")) > 0)
            for name, words in _CONJUNCTIONS.items()
        },
        "participle_clause": adverbial & gerund,
        "participle_after_noun": adnominal & participle,
        "gerund_after_noun": adnominal & gerund,
        "infinitive": to & t.has("tag", "VB"),
        "infinitive_purpose": to & adverbial,
        "infinitive_after_noun": to & (adnominal | relative),
        "infinitive_complement": to & t.has("dep", "xcomp"),
        "gerund_complement": gerund & t.has("dep", "xcomp", "pcomp", "csubj"),
        "clause_subject": t.has("dep", "csubj", "csubjpass"),
    }


def _verbs(t: Trees) -> dict[str, np.ndarray]:
    """Aspect, modals, and adverbs that part what belongs together."""
    aux = t.has("dep", "aux")
    perfect = t.has("tag", "VBN") & (t.children(aux & t.has("word", *_HAVE)) > 0)
    progressive = t.has("tag", "VBG") & (t.children(aux & t.has("word", *_BE)) > 0)
    modal = t.children(t.has("tag", "MD")) > 0
    adverb = t.has("pos", "ADV")
    verb = t.has("pos", *_VERBS)
    to = t.has("tag", "TO")
    helps = t.has("dep", "aux", "auxpass") & ~to
    return {
        "perfect": perfect,
        "progressive": progressive,
        "modal_passive": modal & (t.children(t.has("dep", "auxpass")) > 0),
        "modal_perfect": modal & perfect,
        "split_infinitive": to & t.next(adverb) & t.next(t.has("tag", "VB"), 2),
        "split_auxiliary": helps & t.next(adverb) & t.next(verb, 2),
        "auxiliary_chain": helps & t.next(t.has("dep", "aux", "auxpass")),
        "copula_adjective": (t.children(t.has("dep", "acomp")) > 0) & t.has("pos", "AUX"),
        "copula_noun": (t.children(t.has("dep", "attr")) > 0) & t.has("pos", "AUX"),
        "two_objects": (t.children(t.has("dep", "dative")) > 0) & (t.children(t.has("dep", "dobj")) > 0),
    }


def _phrases(t: Trees) -> dict[str, np.ndarray]:
    """What nouns and prepositions carry, and what is coordinated."""
    noun, verb = t.has("pos", *_NOUNS), t.has("pos", *_VERBS)
    compound, adjective = t.children(t.has("dep", "compound")), t.children(t.has("dep", "amod"))
    prep = t.has("dep", "prep")
    head_is_noun, head_is_verb = noun[t.head], verb[t.head]
    conj = t.has("dep", "conj")
    subject = t.children(t.has("dep", "nsubj", "nsubjpass", "expl")) > 0
    bare = t.has("tag", "IN") & prep & (t.children(t.has("dep", "pobj", "pcomp", "prep")) == 0)
    phrase_end = t.next(t.has("pos", "PUNCT")) | t.is_last
    return {
        "compound_noun": noun & (compound > 0),
        "noun_chain": noun & (compound > 1),
        "two_adjectives": noun & (adjective > 1),
        "bare_noun": noun & (t.children(~t.has("pos", "PUNCT")) == 0),
        "heavy_noun": noun & (t.children(~t.has("pos", "PUNCT")) >= 3),
        "prep_on_noun": prep & head_is_noun,
        "prep_on_verb": prep & head_is_verb,
        "prep_in_prep": prep & t.has("dep", "pobj")[t.head],
        "of_phrase": prep & head_is_noun & t.has("word", "of"),
        "fronted_prep": prep & (t.offset > 0) & head_is_verb,
        "stranded_prep": bare & phrase_end,
        "nouns_joined": conj & noun,
        "verbs_joined": conj & verb & ~subject,
        "clauses_joined": conj & verb & subject,
        "adjectives_joined": conj & t.has("pos", "ADJ"),
        "long_series": t.has("dep", "conj") & conj[t.head] & (t.children(conj) > 0),
        "either_or": t.has("dep", "preconj"),
        "adverb_of_degree": t.has("dep", "advmod") & t.has("pos", "ADJ", "ADV")[t.head],
        "no_noun": t.has("word", "no") & t.has("dep", "det"),
    }


def _marks(t: Trees) -> dict[str, np.ndarray]:
    """Punctuation by what stands beside it."""
    comma = t.has("word", ",")
    relative = t.has("tag", "WDT", "WP")
    mark, dash = t.has("pos", "PUNCT"), t.has("word", "-", "--", "\u2013", "\u2014")
    opener = t.is_first
    return {
        "comma": comma,
        "comma_and": comma & t.next(t.has("word", "and")),
        "comma_but": comma & t.next(t.has("word", "but")),
        "comma_relative": comma & t.next(relative),
        "comma_gerund": comma & t.next(t.has("tag", "VBG")),
        "comma_subordinator": comma & t.next(t.has("pos", "SCONJ")),
        "comma_number": comma & t.previous(t.has("pos", "NUM")),
        "opening_adverb_comma": opener & t.has("pos", "ADV", "SCONJ", "CCONJ") & t.next(comma),
        "adjectives_comma": t.has("pos", "ADJ") & t.next(comma) & t.next(t.has("pos", "ADJ"), 2),
        "nouns_comma": t.has("pos", *_NOUNS) & t.next(comma) & t.next(t.has("pos", *_NOUNS), 2),
        "bracket_after_noun": t.has("pos", *_NOUNS) & t.next(t.has("word", "(")),
        "bracket_with_number": t.has("word", "(") & t.next(t.has("pos", "NUM")),
        "bracket_with_clause": t.has("word", "(") & t.next(t.has("pos", "PRON", "SCONJ", "VERB")),
        "colon_inside": t.has("word", ":") & ~t.is_last,
        "dash_before_clause": dash & t.next(t.has("pos", "PRON", "DET", "CCONJ")),
        "marks_in_a_row": mark & t.next(mark),
    }


def _per_sentence(t: Trees) -> dict[str, np.ndarray]:
    """What is counted once a sentence: how it opens and ends, whether it lacks a verb."""
    n = int(t.sentence[-1]) + 1

    def some(which: np.ndarray) -> np.ndarray:
        """First tokens of the sentences that have one of `which`."""
        return t.is_first & (np.bincount(t.sentence, weights=which, minlength=n) > 0)[t.sentence]

    opens = t.is_first & ~t.has("pos", "PUNCT", "SYM")
    is_subject = t.has("dep", "nsubj", "nsubjpass", "expl")
    root_verb = t.is_root & t.has("tag", "VB") & (t.children(is_subject | t.has("dep", "aux")) == 0)
    ends = {f"ends_{name}": t.is_last & t.has("word", *marks) for name, marks in _ENDS.items()}
    return {
        **{f"opens_{name.lower()}": t.is_first & t.has("pos", name) for name in _OPENERS},
        "opens_infinitive": t.is_first & t.has("tag", "TO"),
        "opens_gerund": t.is_first & t.has("tag", "VBG"),
        "opens_subject": opens & is_subject,
        "opens_there": t.is_first & t.has("tag", "EX"),
        "opens_wh": t.is_first & t.has("tag", "WP", "WDT", "WRB"),
        "no_verb": t.is_first & ~some(t.has("pos", *_VERBS)),
        "no_finite_verb": t.is_first & ~some(t.has("tag", *_FINITE)),
        "imperative_root": some(root_verb),
        "with_subordinate": some(t.has("dep", "relcl", "advcl", "ccomp", "csubj")),
        **ends,
        "ends_open": t.is_last & t.is_word,
    }


def _shapes(t: Trees, n_words: np.ndarray, n_sentences: np.ndarray) -> dict[str, np.ndarray]:
    """Lengths, distances, depths and shares of each text [n], texts without a token 0."""
    n = int(t.sentence[-1]) + 1
    inner = ~t.is_root & t.is_word
    distance, depth = np.abs(t.offset), t.depths()
    first = t.is_first

    def deepest(values: np.ndarray) -> np.ndarray:
        """Mean over a text's sentences of the largest of these values."""
        top = np.zeros(n)
        np.maximum.at(top, t.sentence, values)
        return _over(np.bincount(t.text[first], weights=top, minlength=t.n), n_sentences)

    number = np.arange(t.size)
    place = number - np.maximum.accumulate(np.where(first, number, 0))
    words_in = np.bincount(t.sentence, weights=t.is_word, minlength=n)
    squares = np.bincount(t.text[first], weights=words_in**2, minlength=t.n)
    mean = _over(n_words, n_sentences)
    noun, verb, pronoun = (t.per_text(t.has("pos", *names)) for names in (_NOUNS, ("VERB",), ("PRON",)))
    finite = t.per_text(t.has("tag", *_FINITE))
    return {
        "sentence_words": mean,
        "sentence_spread": np.sqrt(np.maximum(_over(squares, n_sentences) - mean**2, 0.0)),
        "distance_mean": _over(t.per_text(distance * inner), t.per_text(inner)),
        "distance_longest": deepest(distance * inner),
        "heads_to_the_left": _over(t.per_text(inner & (t.offset < 0)), t.per_text(inner)),
        "depth_mean": _over(t.per_text(depth), t.per_text(np.ones(t.size))),
        "depth_deepest": deepest(depth),
        "root_place": _over(t.per_text(place * t.is_root), t.per_text(t.is_root)),
        "branching_widest": deepest(t.children(np.ones(t.size, dtype=bool))),
        "clauses_per_sentence": _over(finite, n_sentences),
        "words_per_clause": _over(n_words, np.maximum(finite, 1.0)),
        "nouns_to_verbs": _over(noun, noun + verb),
        "pronouns_to_nouns": _over(pronoun, pronoun + noun),
        "modifiers_per_noun": _over(
            t.per_text(t.has("dep", "amod", "compound", "nummod", "poss", "prep") & t.has("pos", *_NOUNS)[t.head]), noun
        ),
        "content_share": _over(t.per_text(t.has("pos", "NOUN", "PROPN", "VERB", "ADJ", "ADV")), n_words),
    }


# what is counted per 100 words
_COUNTS: tuple[Callable[[Trees], dict[str, np.ndarray]], ...] = (_parts_of_speech, _clauses, _verbs, _phrases, _marks)


def _measure(trees: Trees) -> dict[str, np.ndarray]:
    """Measure -> values [n]; trees have a token at least."""
    n_words = trees.per_text(trees.is_word)
    n_sentences = trees.per_text(trees.is_first)
    found: dict[str, np.ndarray] = {}
    for count in _COUNTS:
        found |= {name: 100.0 * _over(trees.per_text(which), n_words) for name, which in count(trees).items()}
    found |= {name: _over(trees.per_text(which), n_sentences) for name, which in _per_sentence(trees).items()}
    return found | _shapes(trees, n_words, n_sentences) | _function_words(trees, n_words)


def _function_words(t: Trees, n_words: np.ndarray) -> dict[str, np.ndarray]:
    """Rates of function words; a token is at most one of them, so that one pass counts all."""
    kinds = np.full(len(t.numbers["pos"]), -1)
    for number, parts in enumerate(POS_OF_KIND.values()):
        for part in parts:
            if part in t.numbers["pos"]:
                kinds[t.numbers["pos"][part]] = number
    place = np.full((len(POS_OF_KIND), len(t.numbers["word"])), -1)
    kind_number = {kind: number for number, kind in enumerate(POS_OF_KIND)}
    for column, (kind, word) in enumerate(FUNCTION_WORDS):
        if word in t.numbers["word"]:
            place[kind_number[kind], t.numbers["word"][word]] = column
    kind_of_token = kinds[t.values["pos"]]
    column_of_token = np.where(kind_of_token >= 0, place[kind_of_token, t.values["word"]], -1)
    is_one = column_of_token >= 0
    width = len(FUNCTION_WORDS)
    counts = np.bincount(t.text[is_one] * width + column_of_token[is_one], minlength=t.n * width).reshape(t.n, width)
    return {
        word_measure(kind, word): 100.0 * _over(counts[:, column], n_words)
        for column, (kind, word) in enumerate(FUNCTION_WORDS)
    }


def _over(count: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(count, whole, out=np.zeros(len(count)), where=whole > 0)


def measure_syntax(tagged: pl.DataFrame) -> np.ndarray:
    """Syntax of tagged answers, float64 [n, len(SYNTAX_MEASURES)], in the order of the rows.

    Words, clauses, phrases, relations and marks are counted per 100 words; what a sentence has or lacks, as a share of
    the sentences; lengths and distances in words or tokens, depths in steps to the root. An answer without a word has
    zeros only.

    Args:
        tagged: frame of schema TAGGED.

    Raises:
        InputError: heads outside their text or in a circle.
    """
    trees = read_trees(tagged)
    if not trees.size:
        return np.zeros((tagged.height, len(SYNTAX_MEASURES)))
    found = _measure(trees)
    rows = np.column_stack([found[name] for name in SYNTAX_MEASURES])
    rows[trees.per_text(trees.is_word) == 0] = 0.0
    return rows


def _names() -> tuple[str, ...]:
    """What is measured of any text, in its order."""
    token = {"pos": [["X"]], "tag": [["XX"]], "dep": [["ROOT"]], "noised": [["X"]], "head": [[0]], "start": [[True]]}
    return tuple(_measure(read_trees(pl.DataFrame(token))))


SYNTAX_MEASURES: tuple[str, ...] = _names()
SYNTAX_INDEX: dict[str, int] = {name: i for i, name in enumerate(SYNTAX_MEASURES)}
