"""Texts in which what they are about is replaced by parts of speech (POSNoise: Halvani and Graner 2020).

Function words, punctuation and words of a short list stay, in lower case; every other word becomes one capital letter.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["KEPT", "SYMBOLS", "noise"]

# universal part of speech -> what stands for a content word; all other parts of speech stay as they are
SYMBOLS = {"NOUN": "N", "PROPN": "P", "VERB": "V", "ADJ": "J", "ADV": "R", "NUM": "D", "SYM": "S", "X": "X"}
# content words that say nothing of the topic: forms of light verbs, adverbs and adjectives of degree, place, time,
# stance and connection
_VERBS = (
    "be am is are was were been being 's 're 'm have has had having 've 'd do does did done doing can could may "
    "might must shall should will would ought ca wo let lets get gets got gotten getting go goes going went gone "
    "make makes made making take takes took taken taking come comes came coming give gives gave given giving put "
    "puts putting keep keeps kept keeping seem seems seemed need needs needed want wants wanted try tries tried "
    "trying use uses used using say says said saying think thinks thought thinking know knows knew known knowing "
    "see sees saw seen seeing look looks looked looking find finds found finding mean means meant become becomes "
    "became regarding concerning including depending according based"
)
_ADVERBS = (
    "not n't nt also too so as then than there here now just only even still yet already again once ever never "
    "always often sometimes usually generally frequently rarely seldom mostly mainly largely almost nearly quite "
    "rather pretty very really much more most less least well better best however therefore thus hence moreover "
    "furthermore nevertheless nonetheless otherwise instead meanwhile besides indeed perhaps maybe probably "
    "possibly certainly definitely surely clearly obviously apparently actually basically simply merely exactly "
    "especially particularly specifically typically normally currently recently previously finally firstly "
    "secondly first second last next later earlier soon before after ago away back down up out off over on in "
    "about around along together apart above below when where why how whenever wherever whether else far long "
    "little enough likely fully completely totally absolutely extremely highly relatively slightly somewhat at "
    "all either neither both anyway though although i.e. e.g. etc accordingly additionally consequently "
    "similarly likewise conversely respectively yes"
)
_ADJECTIVES = (
    "many much more most few fewer less least several some any other others another such same own certain "
    "various different enough little able unable likely unlikely sure good better best bad worse worst new old "
    "great big small large long short high low right wrong first second last next whole entire main only "
    "possible due"
)
_NUMBERS = "one ones two"
# part of speech -> its words that stay
KEPT: dict[str, frozenset[str]] = {
    "VERB": frozenset(_VERBS.split()),
    "ADV": frozenset(_ADVERBS.split()),
    "ADJ": frozenset(_ADJECTIVES.split()),
    "NUM": frozenset(_NUMBERS.split()),
    "NOUN": frozenset({"one", "ones"}),
}


def noise(words: Iterable[str], pos: Iterable[str]) -> list[str]:
    """What POSNoise makes of a text, token by token.

    Args:
        words: tokens as written.
        pos: their universal parts of speech.

    Example:
        >>> noise(["We", "have", "read", "your", "Report", "!"], ["PRON", "AUX", "VERB", "PRON", "NOUN", "PUNCT"])
        ['we', 'have', 'V', 'your', 'N', '!']
    """
    noised = []
    for word, tag in zip(words, pos, strict=True):
        lower = word.lower().replace("\u2019", "'")
        stays = tag not in SYMBOLS or lower in KEPT.get(tag, ())
        noised.append(lower if stays else SYMBOLS[tag])
    return noised
