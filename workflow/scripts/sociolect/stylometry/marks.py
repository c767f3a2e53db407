"""Counts of punctuation, digits and layout in one text."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")
_CURRENCY = re.compile(r"[$\u00a3\u20ac] ?\d")
_LINE_NUMBER = re.compile(r"^[ \t]*\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)\]][ \t]+(?=\S)", re.M)
_INLINE_NUMBER = re.compile(r"(?<!\S)\(?(\d{1,2})[.)](?=\s+\S)")
_LINE_BULLET = re.compile(r"^[ \t]*(?:[-*+\u2022\u00b7\u2013\u25aa\u25cf]|o(?= [A-Z]))[ \t]+(?=\S)", re.M)
_INLINE_BULLET = re.compile(r"(?<=\S )[*\u2022](?=\s)")
_QUESTION = re.compile(r"\?+")
_ELLIPSIS = re.compile(r"\.{3,}|\u2026|\. \. \.")
_DASH = re.compile(r"[\u2013\u2014]|(?<=\S) -{1,2} (?=\S)|(?<=\w)--(?=\w)")
_HYPHENATED = re.compile(r"[^\W\d_]-[^\W\d_]")
_EMOTICON = re.compile(
    r"[:;=](?<![\w/:].)[-o^']?[)(DPp\]\[/|3](?![\w/])|[:;](?<=\w.)-?[)D](?!\w)|<3|\bxD\b|\^_?\^"
    r"|[\U0001F300-\U0001FAFF\u2600-\u27bf]"
)
_QUOTED = re.compile(
    r"\"[^\"\n]{1,200}\"|\u201c[^\u201d\n]{1,200}\u201d|\u2018(?<!\w.)[^\u2019\n]{1,200}\u2019(?!\w)"
    r"|'(?<![\w'].)[^'\n]{2,80}'(?![\w'])"
)
_ACRONYM = re.compile(r"\([A-Z][A-Za-z&]*[A-Z]s?\)")
_SYMBOLS = re.compile(r"[=+<>^\\`$]")
_NAME_AFTER_THE = re.compile(r"[Tt]he [A-Z](?<!\w.{5})")
_PAIR_OF_CAPITALS = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+")
_SERIES = re.compile(r", \w+,? and \w+")
_CURLY = str.maketrans("", "", "\u2018\u2019\u201c\u201d")

# Counts of one character each.
_CHARACTERS = {"exclamation": "!", "semicolons": ";", "slashes": "/", "parentheses": "("}
MARKS = (
    *_CHARACTERS,
    *("question", "ellipsis", "dashes", "hyphenated", "percent", "currency", "curly", "straight", "quoted"),
    *("emoticons", "numbers", "years", "numbered_items", "bullets", "links", "acronyms", "abbreviations"),
    *("colon_line_ends", "symbols", "names_after_the", "capital_pairs", "series", "comma_before_and"),
)


def _inline_items(text: str) -> int:
    """Items of a list numbered within a line: markers that count 1, 2, ...; a lone number is no list."""
    expected = 1
    for marker in _INLINE_NUMBER.finditer(text):
        if int(marker.group(1)) == expected:
            expected += 1
    return expected - 1 if expected > 2 else 0


def count_marks(raw: str, text: str) -> dict[str, float]:
    """Count the marks of one text; `text` is `raw` without links and with straight apostrophes.

    Links and abbreviations are left at 0: they are counted where they are cut out of the text.
    """
    marks: dict[str, float] = dict.fromkeys(MARKS, 0.0)
    for name, character in _CHARACTERS.items():
        marks[name] = text.count(character)
    # Each pattern is tried only where a cheap look finds what it needs.
    ascii_only = text.isascii()
    if "?" in text:
        marks["question"] = len(_QUESTION.findall(text))
    if ". ." in text or ".." in text or not ascii_only:
        marks["ellipsis"] = len(_ELLIPSIS.findall(text))
    if "-" in text or not ascii_only:
        marks["dashes"] = len(_DASH.findall(text))
        marks["hyphenated"] = len(_HYPHENATED.findall(text))
    marks["curly"] = 0 if raw.isascii() else len(raw) - len(raw.translate(_CURLY))
    marks["straight"] = raw.count("'") + raw.count('"')
    if marks["curly"] or marks["straight"]:
        marks["quoted"] = len(_QUOTED.findall(raw))
    if not ascii_only or any(sign in text for sign in (":", ";", "=", "<3", "xD", "^")):
        marks["emoticons"] = len(_EMOTICON.findall(text))
    marks["bullets"] = len(_LINE_BULLET.findall(text))
    if "*" in text or not ascii_only:
        marks["bullets"] += len(_INLINE_BULLET.findall(text))
    marks["numbered_items"] = len(_LINE_NUMBER.findall(text))
    numbers = _NUMBER.findall(text)
    if numbers:
        marks["numbered_items"] = max(marks["numbered_items"], _inline_items(text))
        # The markers of a numbered list are layout, not figures.
        marks["numbers"] = max(0, len(numbers) - marks["numbered_items"])
        marks["years"] = len(_YEAR.findall(text))
        marks["currency"] = len(_CURRENCY.findall(text))
        marks["percent"] = text.count("%") + text.count("per cent")
    if marks["parentheses"]:
        marks["acronyms"] = len(_ACRONYM.findall(text))
    marks["symbols"] = len(_SYMBOLS.findall(text))
    marks["names_after_the"] = len(_NAME_AFTER_THE.findall(text))
    marks["capital_pairs"] = len(_PAIR_OF_CAPITALS.findall(text))
    if " and " in text and "," in text:
        marks["series"] = len(_SERIES.findall(text))
        marks["comma_before_and"] = text.count(", and ")
    if ":" in text:
        marks["colon_line_ends"] = sum(line.rstrip().endswith(":") for line in text.split("\n"))
    return marks
