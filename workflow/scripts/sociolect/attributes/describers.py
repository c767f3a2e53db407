"""Describers that look at the answers themselves, by the names of `description.describer`; `llm` asks a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from sociolect.attributes.measured import describe_by_measures
from sociolect.attributes.parsing import Said
from sociolect.settings.attributes import DescriptionSettings

__all__ = ["DESCRIBERS", "Describe"]

# chosen answers (`choose_answers`), settings, and their rows of schema TAGGED where answers are tagged -> for each
# answer (prompt id, sentence, attribute or None)
Describe = Callable[[pl.DataFrame, DescriptionSettings, pl.DataFrame | None], list[list[Said]]]

DESCRIBERS: Mapping[str, Describe] = {
    "stylometry": describe_by_measures,
}
