"""Function words as what they are in their sentence: that as a conjunction is not that as a pronoun.

A fixed list: function words, and common words that say nothing of the topic, without those of negation. The forms stay
in texts that POSNoise made. A word stands under what spaCy's small English model calls it: `when` is a conjunction
there, and so is every `since`.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FUNCTION_WORDS", "POS_OF_KIND", "word_attribute", "word_measure"]

# what a word is -> its universal parts of speech
POS_OF_KIND: Mapping[str, tuple[str, ...]] = {
    "preposition": ("ADP",),
    "conjunction": ("SCONJ", "CCONJ"),
    "pronoun": ("PRON",),
    "determiner": ("DET",),
    "auxiliary": ("AUX",),
    "adverb": ("ADV",),
    "adjective": ("ADJ",),
    "verb": ("VERB",),
}
_WORDS = {
    "preposition": (
        "about above across after against along among around as at before behind below between beyond by down "
        "during for from in inside into like near of off on onto out outside over per than through throughout to "
        "toward towards under until up via with within"
    ),
    "conjunction": (
        "after although and as because before but either for how if like or plus since so than that though unless "
        "until when where whether while yet"
    ),
    "pronoun": (
        "all another any anyone anything both each everyone everything he her him his i it its itself me mine my "
        "myself one our ourselves she some somebody someone something that their them themselves there these they "
        "this those us we what which who whom you your yourself"
    ),
    "determiner": ("a all an another any both each every half some such that the these this those what whatever which"),
    "auxiliary": (
        "am are be been being can could did do does had has have having is may might must shall should was were "
        "will would"
    ),
    "adverb": (
        "about actually again almost already also always anyway apart as away back basically certainly clearly "
        "completely currently definitely either else enough especially even ever exactly far finally first fully "
        "generally here highly however indeed instead just later least less likely long maybe more most mostly "
        "much nearly normally now obviously off often once only otherwise out particularly perhaps pretty "
        "previously probably quite rather really recently relatively simply so sometimes soon still surely then "
        "there therefore though thus together too totally typically usually very well yet"
    ),
    "adjective": (
        "able bad best better big certain different due few good great high large last least less likely little "
        "long low main many more most much new next old only other own possible right same several short small "
        "such sure various whole wrong"
    ),
    "verb": (
        "according based became become came come coming did do does doing done find finding found gave get gets "
        "getting give given gives giving go goes going gone got had has have having including keep keeping kept "
        "knew know knowing known knows let look looking looks made make makes making mean means need needed needs "
        "put putting said saw say saying says see seeing seem seems seen take taken takes taking think thinking "
        "thought took tried try trying use used uses using want wanted wants went"
    ),
}
# (kind, word), in the order of kinds and of the alphabet
FUNCTION_WORDS: tuple[tuple[str, str], ...] = tuple(
    (kind, word) for kind, words in _WORDS.items() for word in words.split()
)
_SHOWN = {"auxiliary": "auxiliary verb"}


def word_measure(kind: str, word: str) -> str:
    """Name of the measure: how often the word stands as this, per 100 words."""
    return f"word_{kind}_{word}"


def word_attribute(kind: str, word: str) -> str:
    """Name of the attribute.

    Example:
        >>> word_attribute("auxiliary", "can")
        'the auxiliary verb can'
    """
    return f"the {_SHOWN.get(kind, kind)} {'I' if word == 'i' else word}"
