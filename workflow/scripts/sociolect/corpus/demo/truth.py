"""The planted truth: which made-up group uses which style attribute, and how often."""

from __future__ import annotations

import polars as pl

# The names are those that the stylometry describer gives to what it measures.
ATTRIBUTES = (
    "exclamation marks",
    "rhetorical questions",
    "ellipses",
    "parentheses",
    "hedging words",
    "intensifiers",
    "first person singular pronouns",
    "first person plural pronouns",
    "second person pronouns",
    "contractions",
    "bullet points",
    "semicolons",
    "formal connectives",
    "greetings",
    "polite expressions",
    "words in capital letters",
    "slang words",
    "numbers",
)

# Three attributes each that no other group has.
_DISTINCTIVE = {
    "harbour": {"exclamation marks": 0.85, "slang words": 0.80, "words in capital letters": 0.80},
    "meadow": {"hedging words": 0.85, "ellipses": 0.80, "first person singular pronouns": 0.85},
    "orchard": {"greetings": 0.85, "polite expressions": 0.85, "second person pronouns": 0.80},
    "quarry": {"semicolons": 0.80, "formal connectives": 0.85, "parentheses": 0.80},
}
# Two groups that write nearly alike: what sets both apart from the rest sets neither apart from the other.
_ALIKE = ("beacon", "lantern")
_ALIKE_RATES = {
    "numbers": (0.82, 0.80),
    "bullet points": (0.77, 0.80),
    "first person plural pronouns": (0.85, 0.82),
}
# Attributes of several groups: neither distinctive nor rare.
_SHARED = {
    "contractions": ("harbour", "meadow"),
    "intensifiers": ("harbour", "orchard"),
    "rhetorical questions": ("meadow", "quarry", "orchard"),
}
_SHARED_RATE = 0.60
# Everybody does everything now and then. The two nearly alike groups differ a little here, too.
_BASE_RATE = {"harbour": 0.10, "meadow": 0.12, "orchard": 0.10, "quarry": 0.12, "beacon": 0.10, "lantern": 0.13}

GROUPS = tuple(sorted(_BASE_RATE))


def demo_truth() -> pl.DataFrame:
    """Planted usage rates, one row per group and attribute.

    Returns:
        group, attribute, rate (share of the group's answers that have the attribute), kind (`distinctive`: only
        this group; `shared`: two or three groups, among them what the two alike groups have in common; `base`:
        noise) and alike (the group that this one can hardly be told from, or null). Sorted by group, attribute.
    """
    rows = []
    for group in GROUPS:
        alike = None
        if group in _ALIKE:
            alike = _ALIKE[1 - _ALIKE.index(group)]
        for attribute in sorted(ATTRIBUTES):
            rate, kind = _BASE_RATE[group], "base"
            if attribute in _DISTINCTIVE.get(group, {}):
                rate, kind = _DISTINCTIVE[group][attribute], "distinctive"
            elif alike is not None and attribute in _ALIKE_RATES:
                rate, kind = _ALIKE_RATES[attribute][_ALIKE.index(group)], "shared"
            elif group in _SHARED.get(attribute, ()):
                rate, kind = _SHARED_RATE, "shared"
            rows.append({"group": group, "attribute": attribute, "rate": rate, "kind": kind, "alike": alike})
    return pl.DataFrame(rows, schema_overrides={"alike": pl.String})
