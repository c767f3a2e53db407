"""Word lists of the stylometry describer: closed classes and markers of style, never of topic.

Sources of the ideas: Biber (1988), Variation across Speech and Writing, for the register features;
Hyland (2005), Metadiscourse, for hedges, boosters and connectives. All entries are lower case with straight
apostrophes; an entry of several words matches inside one sentence.
"""

from __future__ import annotations

# Single words, by measure.
WORDS: dict[str, str] = {
    "article_definite": "the",
    "prep_of": "of",
    "prep_in": "in",
    "prep_for": "for",
    "prep_on": "on",
    "prep_from": "from",
    "conj_and": "and",
    "word_if": "if unless whether",
    "relative_person": "who whom whose",
    "third_singular": "he him his himself she her hers herself",
    "third_plural": "they them their theirs themselves",
    "first_singular": "i me my mine myself",
    "first_plural": "we us our ours ourselves",
    "second_person": "you your yours yourself yourselves ya u ur",
    "modal_future": "will shall",
    "modal_obligation": "must should ought need needs",
    "negated": "not no never none nothing nobody nor neither cannot",
    "hedges": (
        "perhaps maybe possibly probably seemingly apparently presumably arguably roughly approximately "
        "somewhat likely may might seem seems seemed appear appears suggest suggests generally usually "
        "typically supposedly potentially conceivably relatively fairly guess suppose"
    ),
    "intensifiers": (
        "very really extremely absolutely totally completely highly incredibly quite especially utterly "
        "deeply particularly remarkably entirely truly hugely exceptionally super"
    ),
    "praise": ("good great best nice excellent fantastic wonderful useful helpful fine perfect interesting brilliant"),
    "slang": (
        "gonna wanna gotta kinda sorta yeah yep yup nope nah dude dudes guys guy cool awesome lol lmao "
        "rofl omg wtf stuff folks crap damn heck hell sucks dunno ain't y'all bro bruh cuz coz em tons "
        "bucks lots meh ok okay thx pls plz dont cant im ive doesnt didnt isnt wont thats gimme lemme "
        "legit lame freaking buddy mate chill"
    ),
    "greetings": "hi hello hey greetings howdy hiya dear welcome",
    "polite": (
        "please kindly thank thanks grateful appreciate appreciated sorry apologies apologise apologize "
        "pleased glad pardon respectfully gratefully"
    ),
    "formal_connectives": (
        "furthermore moreover therefore however consequently nevertheless nonetheless thus hence "
        "additionally accordingly whereas whereby thereby henceforth subsequently notwithstanding "
        "conversely likewise similarly therein herein hereby thereof"
    ),
    "sequence": (
        "first firstly second secondly third thirdly next then finally lastly last initially eventually "
        "afterwards subsequently meanwhile"
    ),
    "formal_words": (
        "regarding concerning pursuant obtain require requires required ensure ensures ensuring assist "
        "commence provide provides provided providing receive received sufficient appropriate relevant "
        "respective respectively subject undertake undertaken utilise utilize facilitate enable enables "
        "enabling demonstrate indicate constitute comprise remain remains seek continue continues upon "
        "prior request purchase inform"
    ),
    "plain_verbs": (
        "get gets got getting go goes going gone went make makes making made take takes took put puts let "
        "lets want wants wanted know knows knew look looks looking try tries trying keep keeps give gives "
        "gave come comes start starts thing things lot"
    ),
    "academic": (
        "analysis approach concept context data define definition derived distribution estimate evidence "
        "factor formula function hypothesis identified imply implies indicate interpretation method occur "
        "percent principle procedure process research significant similar source specific structure "
        "theory variable"
    ),
    "number_words": (
        "two three four five six seven eight nine ten eleven twelve dozen twenty thirty forty fifty "
        "hundred thousand million billion half quarter"
    ),
    "british": (
        "colour favour behaviour labour honour centre centres metre litre licence defence offence "
        "practise travelling travelled cancelled modelling programme programmes whilst amongst learnt "
        "spelt organisation organisations organise organised recognise recognised realise realised "
        "prioritise utilise analyse catalogue grey judgement fulfil enrol cheque neighbour neighbourhood "
        "favourite authorised specialised minimise maximise summarise modernise apologise ageing towards"
    ),
    "american": (
        "color favor behavior labor honor center centers meter liter license defense offense practice "
        "traveling traveled canceled modeling program programs organization organizations organize "
        "organized recognize recognized realize realized prioritize utilize analyze catalog gray judgment "
        "fulfill enroll neighbor neighborhood favorite authorized specialized minimize maximize summarize "
        "modernize apologize aging toward"
    ),
    "titles": "mr mrs ms dr sir lord lady hon rt minister secretary professor prof",
    "abbreviation_words": (
        "etc vs approx asap fyi btw imo imho tbh aka eg ie ps min max est dept govt info misc incl esp "
        "wrt afaik iirc tbd tba rsvp diy faq cf al viz"
    ),
    "commitment": (
        "commit commits committed commitment commitments aim aims aimed intend intends plan plans planned "
        "planning support supports supporting supported deliver delivering delivers continue continues "
        "continuing work works working"
    ),
    "reporting": (
        "say says said state states stated publish published publishes announce announced note noted "
        "confirm confirmed report reported reports explain explained outline outlined set according"
    ),
    "measurement": (
        "number numbers level levels rate rates total average amount figure figures proportion percentage share"
    ),
    "change_verbs": (
        "increase increases increased increasing reduce reduces reduced reducing improve improves "
        "improved improving change changes changed changing grow growing grown develop developed "
        "developing"
    ),
    "general_nouns": (
        "issue issues matter matters way ways case cases fact facts point points situation kind type "
        "example reason reasons problem problems question questions"
    ),
    "recency": "recent recently current currently existing ongoing latest new today now",
    "extent": "across within throughout nationwide local locally overseas abroad domestic national",
    "definition": "defined definition means mean meaning called known refers refer define term terms",
    "logic": (
        "implies imply assume assumes assuming assumption true false necessarily sufficient follows "
        "equivalent condition if then exists exist suppose let hence given"
    ),
    "expectation": "soon due course forthcoming upcoming shortly future expected later",
    "generic_people": "people person persons individuals others",
    "word_here": "here",
    "word_this": "this",
    "possessive_my": "my mine",
    "possessive_our": "our ours",
    "possessive_your": "your yours",
}

# Entries of several words, by measure.
PHRASES: dict[str, tuple[str, ...]] = {
    "hedges": (
        "sort of",
        "kind of",
        "in general",
        "more or less",
        "as far as i know",
        "i think",
        "it seems",
        "could be",
        "tend to",
        "tends to",
        "i guess",
        "to some extent",
        "not sure",
        "in my opinion",
    ),
    "intensifiers": ("a great deal", "by far", "so much", "way too", "far too"),
    "polite": (
        "would you",
        "could you",
        "happy to",
        "you're welcome",
        "if you don't mind",
        "excuse me",
        "i hope this helps",
    ),
    "greetings": ("good morning", "good afternoon", "good evening", "good day"),
    "formal_connectives": (
        "in addition",
        "as a result",
        "for this reason",
        "in conclusion",
        "in contrast",
        "on the other hand",
        "with regard to",
        "in accordance with",
        "with respect to",
        "in order to",
        "as well as",
        "in particular",
        "for instance",
        "in line with",
    ),
    "slang": (
        "you know",
        "no way",
        "a ton",
        "a bunch",
        "what the",
        "pretty much",
        "big deal",
        "hang out",
        "check out",
        "for real",
    ),
    "advice": (
        "you should",
        "you could",
        "you can",
        "you need",
        "you might",
        "you may",
        "you have to",
        "you must",
        "i would",
        "i'd",
        "if you",
        "try to",
        "make sure",
    ),
    "personal_past": ("i was", "i had", "i did", "i have", "i've", "when i", "i used", "i found", "i went"),
}

# Words that open an imperative sentence.
IMPERATIVE_VERBS = frozenset(
    [
        "add",
        "ask",
        "avoid",
        "be",
        "begin",
        "bring",
        "build",
        "buy",
        "call",
        "change",
        "check",
        "choose",
        "click",
        "come",
        "compare",
        "consider",
        "contact",
        "create",
        "cut",
        "decide",
        "do",
        "don't",
        "drop",
        "find",
        "focus",
        "follow",
        "forget",
        "get",
        "give",
        "go",
        "have",
        "hire",
        "imagine",
        "join",
        "keep",
        "know",
        "learn",
        "leave",
        "let",
        "let's",
        "listen",
        "look",
        "make",
        "mix",
        "move",
        "note",
        "notice",
        "offer",
        "open",
        "pay",
        "pick",
        "place",
        "please",
        "pour",
        "put",
        "read",
        "remember",
        "remove",
        "run",
        "see",
        "sell",
        "send",
        "set",
        "show",
        "speak",
        "start",
        "stay",
        "stick",
        "stop",
        "take",
        "talk",
        "tell",
        "think",
        "treat",
        "try",
        "turn",
        "use",
        "visit",
        "wait",
        "walk",
        "watch",
        "work",
        "write",
    ]
)

# For passives: forms of be, participles that do not end in ed, words in ed that are none.
BE_FORMS = frozenset(
    [
        "am",
        "are",
        "aren't",
        "be",
        "been",
        "being",
        "is",
        "isn't",
        "it's",
        "they're",
        "was",
        "wasn't",
        "we're",
        "were",
        "weren't",
        "you're",
    ]
)
PARTICIPLES = frozenset(
    [
        "been",
        "begun",
        "bought",
        "brought",
        "built",
        "caught",
        "chosen",
        "cut",
        "done",
        "drawn",
        "driven",
        "fallen",
        "felt",
        "forgotten",
        "found",
        "given",
        "gone",
        "got",
        "gotten",
        "grown",
        "had",
        "heard",
        "held",
        "hidden",
        "kept",
        "known",
        "laid",
        "led",
        "left",
        "lent",
        "lost",
        "made",
        "meant",
        "met",
        "paid",
        "put",
        "read",
        "run",
        "said",
        "seen",
        "sent",
        "set",
        "shown",
        "shut",
        "sold",
        "spent",
        "spoken",
        "stolen",
        "stood",
        "taken",
        "taught",
        "thought",
        "told",
        "understood",
        "won",
        "written",
    ]
)
NOT_PARTICIPLES = frozenset(
    ["bed", "embed", "exceed", "feed", "hundred", "indeed", "need", "proceed", "red", "seed", "shed", "speed", "weed"]
)

# Words in ly that are no adverbs; contractions of is, unlike a possessive 's; coordinating first words.
NOT_ADVERBS = frozenset(
    [
        "ally",
        "apply",
        "daily",
        "early",
        "family",
        "fly",
        "imply",
        "july",
        "monthly",
        "only",
        "rely",
        "reply",
        "supply",
        "weekly",
    ]
)
CONTRACTED_IS = frozenset(
    ["he's", "here's", "how's", "it's", "let's", "she's", "that's", "there's", "what's", "when's", "where's", "who's"]
)
COORDINATORS = frozenset(["and", "because", "but", "nor", "or", "so", "yet"])
