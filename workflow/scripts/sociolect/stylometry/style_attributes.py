"""The style attributes that the stylometry describer knows: name, family, measure, direction, level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sociolect.syntax.function_words import FUNCTION_WORDS, word_attribute, word_measure
from sociolect.syntax.measures import NEIGHBORS

_PLURALS = {
    "ADJ": "adjectives",
    "ADP": "prepositions",
    "ADV": "adverbs",
    "AUX": "auxiliaries",
    "CCONJ": "coordinators",
    "DET": "determiners",
    "NOUN": "nouns",
    "NUM": "numerals",
    "PART": "particles",
    "PRON": "pronouns",
    "PROPN": "proper nouns",
    "PUNCT": "punctuation marks",
    "SCONJ": "subordinators",
    "VERB": "verbs",
}


@dataclass(frozen=True)
class StyleAttribute:
    """One attribute: `name` is X in "The author uses X." and "You use X.".

    It holds where `measure` is at or beyond its threshold in `direction`. Level "usual" takes the fitted
    quantile; "strong" takes the quantile half-way between it and 1, for a second, rarer degree of a measure.
    """

    name: str
    family: str
    measure: str
    direction: Literal["high", "low"] = "high"
    level: Literal["usual", "strong"] = "usual"


def _family(family: str, *rows: str) -> list[StyleAttribute]:
    """Attributes of one family from rows "name | measure" or "name | measure | low" or "... | strong"."""
    attributes = []
    for row in rows:
        name, measure, *how = (part.strip() for part in row.split("|"))
        attributes.append(
            StyleAttribute(
                name,
                family,
                measure,
                "low" if "low" in how else "high",
                "strong" if "strong" in how else "usual",
            )
        )
    return attributes


def _function_words() -> list[StyleAttribute]:
    """One attribute for each function word."""
    return [
        StyleAttribute(word_attribute(kind, word), f"{kind}s", word_measure(kind, word))
        for kind, word in FUNCTION_WORDS
    ]


def _neighbors() -> list[StyleAttribute]:
    """One attribute for each pair of neighbors that no attribute written out has."""
    named = {"NUM+NOUN", "PUNCT+PUNCT"}
    return [
        StyleAttribute(f"{_PLURALS[a]} followed by {_PLURALS[b]}", "neighboring words", f"pair_{a.lower()}_{b.lower()}")
        for a, b in NEIGHBORS
        if f"{a}+{b}" not in named
    ]


ATTRIBUTES: tuple[StyleAttribute, ...] = (
    *_family(
        "punctuation",
        "exclamation marks | exclamation",
        "ellipses | ellipsis",
        "parentheses | parentheses",
        "semicolons | semicolons",
        "dashes | dashes",
        "slashes | slashes",
        "curly apostrophes | curly",
        "words in quotation marks | quoted",
        "a comma before and | comma_before_and",
        "straight apostrophes | straight",
        "mathematical and markup symbols | symbols",
        "inline series of three | series",
        "many hyphenated words | hyphenated | strong",
    ),
    *_family(
        "questions and commands",
        "rhetorical questions | question",
        "commands | imperative",
        "advice to the reader | advice",
    ),
    *_family(
        "sentence and word length",
        "short sentences | sentence_mean | low",
        "long sentences | sentence_mean",
        "short words | word_mean | low",
        "many long words | long_words | strong",
    ),
    *_family(
        "case",
        "words in capital letters | capital_words",
        "many capitalised words | capitalised",
        "mostly lower case letters | capitalised | low",
        "acronyms in parentheses | acronyms",
        "dense acronyms and all caps | capital_words | strong",
        "capitalised names after the definite article | names_after_the",
        "capitalised two-word names | capital_pairs",
    ),
    *_family(
        "digits",
        "numbers | numbers",
        "dense numerical detail | numbers | strong",
        "years in digits | years",
        "percentages | percent",
        "sums of money | currency",
        "numbers written as words | number_words",
    ),
    *_family(
        "hedging and boosting",
        "hedging words | hedges",
        "intensifiers | intensifiers",
        "words of praise | praise",
        "negated statements | negated",
    ),
    *_family(
        "person and address",
        "first person singular pronouns | first_singular",
        "first person plural pronouns | first_plural",
        "a collective voice throughout | first_plural | strong",
        "second person pronouns | second_person",
        "he or she to refer to persons | third_singular",
        "they and them as pronouns | third_plural",
        "titles before names | titles",
        "greetings | greetings",
        "a strongly personal point of view | first_singular | strong",
        "my as a personal possessive | possessive_my",
        "our as a shared possessive | possessive_our",
        "your in front of nouns | possessive_your",
        "relative clauses about persons | relative_person",
        "generic nouns for persons | generic_people",
        "personal experience in the past tense | personal_past",
    ),
    *_family(
        "formality",
        "contractions | contractions",
        "polite expressions | polite",
        "slang words | slang",
        "emoticons | emoticons",
        "abbreviations | abbreviations",
        "plain everyday verbs | plain_verbs",
        "many formal verbs | formal_words | strong",
        "academic words | academic",
        "many reporting verbs | reporting | strong",
        "words of definition | definition",
        "words of logic | logic",
    ),
    *_family(
        "structure",
        "numbered lists | numbered_items",
        "bullet points | bullets",
        "web links | links",
        "lines that end in a colon | colon_line_ends",
        "several paragraphs | paragraphs",
        "long paragraphs | paragraph_mean",
        "many sentences in one paragraph | paragraph_sentences | strong",
    ),
    *_family(
        "connectives",
        "formal connectives | formal_connectives",
        "sequence words | sequence",
        "conditional clauses | word_if",
        "conjunctions at the start of sentences | initial_conjunction",
        "openings with a definite article | initial_the",
        "sentences that begin with we | initial_we",
    ),
    *_family(
        "function words",
        "definite articles in high density | article_definite",
        "nouns joined with of | prep_of",
        "places and times given with in | prep_in",
        "purposes expressed with for | prep_for",
        "subjects given with on | prep_on",
        "origins given with from | prep_from",
        "the conjunction and often | conj_and",
        "the word here | word_here",
        "the word this often | word_this",
        "words of quantity and measure | measurement",
        "words of extent | extent",
        "dense markers of reach | extent | strong",
    ),
    *_family(
        "verbs",
        "passive constructions | passive",
        "progressive verb forms | ing_words",
        "past tense verbs | ed_words",
        "the future with will | modal_future",
        "modal verbs of obligation | modal_obligation",
        "adverbs in ly | ly_adverbs",
        "verbs of commitment | commitment",
        "dense promises of action | commitment | strong",
        "many verbs of change | change_verbs | strong",
        "words of recency | recency",
        "words of expectation | expectation",
    ),
    *_family(
        "nouns and register",
        "nominalisations | nominalisation",
        "latinate adjectives | latinate",
        "plural nouns | plural_s",
        "dense abstract nouns | nominalisation | strong",
        "general nouns | general_nouns",
    ),
    *_family(
        "spelling",
        "British spelling | british",
        "American spelling | american",
        "strongly British orthography | british | strong",
        "verbs spelled with ise | ise_spelling",
    ),
    *_family(
        "vocabulary richness",
        "a varied vocabulary | variety",
        "repeated words | once_used | low",
    ),
)

# what only tagged answers show; the measures are those of syntax/measures.py
SYNTAX_ATTRIBUTES: tuple[StyleAttribute, ...] = (
    *_family(
        "clauses",
        "passive clauses with an agent | passive_agent",
        "agentless passives | passive_short",
        "which clauses after a noun | relative_which",
        "restrictive that behind nouns | relative_that",
        "bare clauses attached to nouns | relative_bare",
        "complements that open with that | that_clause",
        "reported clauses joined directly | that_left_out",
        "embedded questions | wh_complement",
        "subordinate clauses ahead of the main one | fronted_clause",
        "clauses of reason | clause_cause",
        "clauses of contrast | clause_concession",
        "temporal clauses | clause_time",
        "participial clauses | participle_clause",
        "past participles behind nouns | participle_after_noun",
        "nouns with an ing form attached | gerund_after_noun",
        "to infinitives | infinitive",
        "infinitives of purpose | infinitive_purpose",
        "nouns that take an infinitive | infinitive_after_noun",
        "gerunds as objects | gerund_complement",
        "whole clauses as subjects | clause_subject",
        "adverbial clauses | dep_advcl",
        "several clauses in each sentence | clauses_per_sentence",
        "many words per clause | words_per_clause",
        "one clause per sentence | with_subordinate | low",
        "fragments in place of sentences | no_verb",
    ),
    *_family(
        "verb phrases",
        "perfect aspect | perfect",
        "ongoing action with be and ing | progressive",
        "modals of every kind | tag_modal",
        "modals in front of a passive | modal_passive",
        "split infinitives | split_infinitive",
        "adverbs inside the verb phrase | split_auxiliary",
        "chains of auxiliaries | auxiliary_chain",
        "predicate adjectives | copula_adjective",
        "predicate nouns | copula_noun",
        "phrasal verbs | dep_prt",
        "the simple present | tag_present",
        "third person verb endings | tag_present_third",
        "base forms of verbs | tag_base_form",
        "the simple past | tag_past_tense",
        "direct objects in high density | dep_dobj",
    ),
    *_family(
        "noun phrases",
        "compound nouns | compound_noun",
        "chains of nouns | noun_chain",
        "attributive adjectives | dep_amod",
        "two adjectives for one noun | two_adjectives",
        "heavily modified nouns | heavy_noun",
        "bare nouns | bare_noun",
        "of phrases that modify a noun | of_phrase",
        "stacked prepositional phrases | prep_in_prep",
        "a prepositional phrase ahead of its verb | fronted_prep",
        "stranded prepositions | stranded_prep",
        "appositions | dep_appos",
        "possessive s on nouns | tag_possessive_s",
        "proper names in high density | pos_propn",
        "comparatives | tag_comparative",
        "superlatives | tag_superlative",
        "pronouns more than nouns | pronouns_to_nouns",
        "a nominal style | nouns_to_verbs",
        "many verbs beside few nouns | nouns_to_verbs | low",
        "numerals before nouns | pair_num_noun",
    ),
    *_family(
        "linking and order",
        "one subject for several verbs | verbs_joined",
        "main clauses linked by coordination | clauses_joined",
        "coordinated noun pairs | nouns_joined",
        "coordinated adjectives | adjectives_joined",
        "existential there | tag_existential",
        "adverbs of degree | adverb_of_degree",
        "pronouns as first words | opens_pron",
        "opening adverbs | opens_adv",
        "sentences launched by a preposition | opens_adp",
        "subordinators in initial position | opens_sconj",
        "proper nouns at sentence openings | opens_propn",
        "main verbs late in the sentence | root_place",
        "deeply nested sentences | depth_deepest",
        "flat sentence structure | depth_deepest | low",
        "long distances between related words | distance_mean",
        "sentences of uneven length | sentence_spread",
    ),
    *_family(
        "marks in their place",
        "frequent commas | comma",
        "commas ahead of relative pronouns | comma_relative",
        "commas that start an ing phrase | comma_gerund",
        "commas behind opening adverbs | opening_adverb_comma",
        "adjectives parted by commas | adjectives_comma",
        "nouns listed with commas | nouns_comma",
        "brackets right after a noun | bracket_after_noun",
        "colons in mid sentence | colon_inside",
        "several punctuation marks in a row | marks_in_a_row",
        "lines that end in a bare word | ends_open",
        "brackets that begin with a numeral | bracket_with_number",
        "brackets that hold a clause | bracket_with_clause",
        "dashes ahead of a clause | dash_before_clause",
        "commas ahead of subordinators | comma_subordinator",
        "commas behind numerals | comma_number",
        "compounds joined by a hyphen | tag_hyphen",
        "interrogative sentence endings | ends_question",
        "full stops at sentence ends | ends_period",
    ),
    *_family(
        "parts of speech",
        "a high share of adjectives | pos_adj",
        "adverbs throughout | pos_adv",
        "a high share of auxiliaries | pos_aux",
        "a high share of determiners | pos_det",
        "a high share of interjections | pos_intj",
        "nouns in high density | pos_noun",
        "a high share of prepositions | pos_adp",
        "a high share of pronouns | pos_pron",
        "frequent subordinators | pos_sconj",
        "a high share of coordinators | pos_cconj",
        "verbs at every turn | pos_verb",
        "a high share of content words | content_share",
        "mostly function words | content_share | low",
        "participles in ing form | tag_gerund",
        "past participle forms | tag_past_participle",
        "relative pronouns such as which | tag_wh_determiner",
        "pronouns such as who and what | tag_wh_pronoun",
        "words such as when and how | tag_wh_adverb",
        "words from other languages | tag_foreign",
    ),
    *_family(
        "relations",
        "main verbs that take a clause | dep_ccomp",
        "verbs completed by another verb | dep_xcomp",
        "nouns as adverbials | dep_npadvmod",
        "qualified numerals | dep_quantmod",
        "indirect objects | dep_dative",
        "object complements | dep_oprd",
        "parenthetical clauses | dep_parataxis",
        "clauses behind prepositions | dep_pcomp",
        "possessors ahead of nouns | dep_poss",
        "passive subjects | dep_nsubjpass",
        "verbs with two objects | two_objects",
        "verbs completed by a prepositional phrase | prep_on_verb",
        "nouns with their own prepositions | prep_on_noun",
        "a modal with the perfect | modal_perfect",
        "series of more than two members | long_series",
        "paired coordinators such as either and or | either_or",
        "relative pronouns as subjects | relative_subject",
        "subordinate if clauses | clause_condition",
        "complement infinitives | infinitive_complement",
        "many modifiers on each noun | modifiers_per_noun",
        "words with many dependents | branching_widest",
        "left branching order | heads_to_the_left | low",
    ),
    *_family(
        "first words",
        "determiners as first words | opens_det",
        "noun openings | opens_noun",
        "adjectives as first words | opens_adj",
        "coordinators as first words | opens_cconj",
        "verbs as first words | opens_verb",
        "auxiliaries as first words | opens_aux",
        "numerals as first words | opens_num",
        "punctuation marks as first characters | opens_punct",
        "infinitives as openers | opens_infinitive",
        "gerunds as openers | opens_gerund",
        "wh words as openers | opens_wh",
        "there as an opener | opens_there",
        "subjects as openers | opens_subject",
    ),
    *_neighbors(),
    *_function_words(),
)
